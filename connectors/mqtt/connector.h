// Connector: keeps one MqttClient connected. It resolves the broker's name, tries the addresses in turn, waits between
// attempts (see Backoff) and watches the socket for its user, who does the reading and writing. Nothing in it blocks: the name
// is looked up by the Resolver's thread, TCP connects in the background, and an attempt without an answer ends after 10 s; so
// a dead broker delays neither the other pipelines nor a stop.
//
//   Held -> Resolving -> Connecting -> Established
//    ^          |            | next address, or         |
//    |          +----------- Waiting <------------------+
//    +--- the delay is over, but the user may not connect
//
// Owned by a source or a publisher, which owns the client too. Reactor thread only. Takes three descriptors of the poller.
#pragma once

#include "agent/model/link_status.h"
#include "agent/model/poller.h"
#include "connectors/mqtt/backoff.h"
#include "connectors/mqtt/mqtt_client.h"
#include "connectors/mqtt/resolver.h"

namespace weir {

/// Descriptors that one connector takes of its poller at most.
constexpr size_t connector_descriptors = 3;

class ConnectorUser {
 public:
  virtual ~ConnectorUser() = default;
  /// Asked before each attempt. After a no, go() tries again.
  virtual bool may_connect() const = 0;
  virtual void on_connecting() = 0;
  /// The socket is ready, or was when the poller looked.
  virtual void on_socket(uint32_t events, Now now) = 0;
  /// How long on_socket took.
  virtual void on_socket_took(int64_t /*ms*/) {}
};

class Connector {
 public:
  Connector(MqttClient& client, ConnectorUser& user, std::string host, uint16_t port);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Begins. An error is final: a descriptor or a thread could not be had.
  Status start(Poller& poller, Now now);
  /// The user may connect again; without meaning unless that was what the connector waited for.
  void go(Now now);
  /// The broker has accepted the connection.
  void established(Now now);
  /// The client has reported that the connection is lost (or could not be made).
  void lost(Now now);
  /// Ends the connection without sending what is queued, and connects again after a while. `why` is a constant.
  void drop(const char* why, Now now);
  /// Ends for good; what is queued is not sent. The client may have said goodbye before.
  void close();

  /// Which events on_socket is called for. Only while connecting or established.
  void want(uint32_t events);
  void on_tick(Now now);

  bool is_established() const { return phase_ == Phase::Established; }
  /// Connecting or established: there is a socket.
  bool has_socket() const { return watched_fd_ >= 0; }
  bool closed() const { return phase_ == Phase::Closed; }
  uint64_t connects() const { return connects_; }
  const LinkStatus& link() const { return link_; }
  /// Why there is no connection; a constant, empty while there is one.
  const char* error() const { return is_established() ? "" : error_; }

 private:
  enum class Phase : uint8_t { Idle, Held, Resolving, Connecting, Established, Waiting, Closed };
  using Event = void (Connector::*)(uint32_t events, Now now);
  /// Three descriptors report to one object; this says which one it was.
  class Entry : public PollHandler {
   public:
    Entry(Connector& owner, Event event) : owner_(owner), event_(event) {}
    void on_ready(uint32_t events, Now now) override { (owner_.*event_)(events, now); }

   protected:
    Connector& owner_;

   private:
    Event event_;
  };
  class SocketEntry final : public Entry {
   public:
    using Entry::Entry;
    void on_took(int64_t ms) override { owner_.user_.on_socket_took(ms); }
  };

  void on_resolved(uint32_t events, Now now);
  void on_timer(uint32_t events, Now now);
  void on_socket(uint32_t events, Now now) { user_.on_socket(events, now); }

  void begin();
  void try_next_address(Now now);
  bool watch_socket();
  void unwatch_socket();
  bool was_stable(Now now) const;
  int64_t wait_after_loss_ms(Now now);
  void end_established(Now now);
  void wait(int64_t ms, Now now);
  void tell_failure(bool was_established);
  void tell_contest();

  MqttClient& client_;
  ConnectorUser& user_;
  std::string host_;
  uint16_t port_;
  Resolver resolver_;
  Backoff backoff_;
  Poller* poller_ = nullptr;
  Entry resolved_entry_{*this, &Connector::on_resolved};
  Entry timer_entry_{*this, &Connector::on_timer};
  SocketEntry socket_entry_{*this, &Connector::on_socket};
  Phase phase_ = Phase::Idle;
  Addresses addresses_;
  size_t next_address_ = 0;
  int timer_fd_ = -1;
  int watched_fd_ = -1;  // a duplicate of the library's descriptor, which it may close at any time
  uint32_t wanted_ = 0;
  int64_t attempt_boot_ms_ = 0;
  int64_t established_boot_ms_ = 0;
  uint64_t connects_ = 0;
  LinkStatus link_;
  const char* error_ = "not connected yet";
  const char* told_ = nullptr;  // the last failure that was logged
};

}  // namespace weir
