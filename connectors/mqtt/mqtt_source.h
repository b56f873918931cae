// MqttSource: messages of an MQTT broker, each effect exactly once. The broker's session is the log that is replayed: a QoS 1
// message is acknowledged only when the checkpoint that covers it is durable, and what the broker redelivers is recognised by
// the session tail.
//
// The invariant: MqttClient::write() is called only while every acknowledgement that may be queued belongs to a delivery that a
// committed checkpoint covers (`held_` is false). New deliveries set `held_`; so do redeliveries of messages that no checkpoint
// covers yet. A committed checkpoint clears it, for nothing is read between a barrier and its decision. A new connection
// begins with an empty queue.
//
// Lost connections keep what was delivered. A handler that is not ready for 5 s makes the source leave without acknowledging;
// it returns when the handler is ready. A broker that has lost the session is subscribed to only after the voided tail is
// durably empty, for a crash in between could take new messages for old ones.
//
// A pipeline that cannot keep up presses back: nothing is read until it is ready. Only where `shed` says so messages are read
// and left out (see Shedding); they are booked, and acknowledged like any other.
//
// With a journal, "covered by a committed checkpoint" reads "durable in the journal" above; see Journaling.
//
// Owned by the pipeline; reactor thread only. Memory: the tail, one payload and the filters, all from the arena.
#pragma once

#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/model/source.h"
#include "connectors/mqtt/connector.h"
#include "connectors/mqtt/drop_watch.h"
#include "connectors/mqtt/filter_list.h"
#include "connectors/mqtt/journaling.h"
#include "connectors/mqtt/mqtt_client.h"
#include "connectors/mqtt/read_share.h"
#include "connectors/mqtt/session_tail.h"
#include "connectors/mqtt/shedding.h"

namespace weir {

struct MqttSourceSpec {
  std::string name;  // the pipeline's; prefixes pools and log lines
  std::string host;
  uint16_t port = 1883;
  bool version_5 = true;
  std::string client_id;
  std::string username;
  std::string password;
  std::vector<std::string> topics;  // filters
  uint8_t qos = 1;                  // 0 or 1
  bool use_retained = true;
  uint32_t max_unacked = 1000;
  size_t max_message = 65536;    // bytes of one payload
  uint64_t max_packet_size = 0;  // asked of a v5 broker; 0: no limit
  int64_t session_expiry_ms = 0;
  int64_t keepalive_ms = 60000;
  /// Reconnect when the broker says that it has dropped messages.
  bool watch_drops = false;
  /// A ping waits behind acknowledgements, and those for a checkpoint: at least four checkpoint intervals.
  int64_t keepalive_min_ms = 0;
  JournalingPolicy journaling;   // where there is a journal
  ShedPolicy shed;               // not with a journal
  bool waits_for_clock = false;  // nothing is read until the wall clock is synchronised
};

/// Topics that are longer are set aside.
constexpr size_t topic_bytes_max = 1024;

class MqttSource final : public Source, private MqttListener, private ConnectorUser, private JournalingOwner {
 public:
  /// `journal`: of `ack = "journal"`; nullptr: acknowledgements wait for checkpoints.
  MqttSource(const MqttSourceSpec& spec, Arena& arena, std::unique_ptr<Journal> journal = nullptr);

  Status start(Poller& poller, SourceHandler& handler, Now now) override;
  void stop(Now now) override;
  bool finished() const override { return stopping_ && connector_.closed(); }
  void resume(Now now) override;
  void abandon(Now now) override;
  void on_tick(Now now) override;
  bool prepare_checkpoint(Now now) override;
  void on_turn(Now now) override;
  int64_t next_deadline_boot_ms() const override;
  SourceStatus status() const override;

  std::string_view uid() const override { return "source"; }
  std::string_view layout() const override { return "mqtt-source 1"; }
  SnapshotBounds snapshot_bounds() const override;
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override;
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override;

 private:
  static MqttOptions client_options(const MqttSourceSpec& spec);

  void on_connack(const Connack& connack) override;
  void on_arrival(const Arrival& arrival) override;
  void on_subscribed(uint16_t mid, int granted_qos) override;
  void on_published(uint16_t, int) override {}
  bool may_connect() const override { return !stopping_ && may_read(); }
  void on_connecting() override;
  void on_socket(uint32_t events, Now now) override;
  void on_socket_took(int64_t ms) override { share_.used(read_in_one_go_, ms); }

  bool may_replay() const override { return !stopping_ && !in_barrier_ && handler_->ready(); }
  void on_replay(const JournalRecord& record, Now now) override;
  void on_replayed(Now now) override;
  void on_journal_durable(Now now) override;
  void on_journal_failed(Status status, Now now) override;
  void on_checkpoint_wanted(CheckpointReason reason, Now now) override { handler_->want_checkpoint(reason, now); }

  bool may_read() const;
  bool sheds() const;
  void look_at(Now now);
  bool may_write() const;
  void read();
  void accept_session();
  void subscribe();
  void watch_drops();
  void observe_drops(const Arrival& arrival);
  void subscribe_to(size_t filter);
  void finish_subscribing();
  bool is_redelivery(const Arrival& arrival, uint64_t hash);
  void hand_over(const Arrival& arrival, uint64_t hash);
  bool shed_it();
  void watch_load();
  void deliver(const JournalRecord& record);
  void note_session_lost();
  void refuse(const Message& message, const char* reason, const char* what, uint64_t bytes, size_t limit);
  void settle();
  void on_lost();
  void flush();
  void say_goodbye();
  void leave(const char* why);
  void update_events();
  void check_stall();
  Status restore_own(const StoredBlob& blob);
  Status restore_journal(ByteReader& in);
  void forget_foreign_session();

  MqttSourceSpec spec_;
  MqttClient client_;
  Connector connector_;
  SessionTail tail_;
  DropWatch drops_;
  ReadShare share_;
  uint32_t read_in_one_go_ = 0;
  Shedding shedding_;
  std::span<uint8_t> payload_;          // a copy, for decoders read a few bytes past the end
  FilterList filters_;                  // as configured
  FilterList subscribed_;               // what the broker's session holds, as far as it has confirmed
  std::span<uint16_t> subscribe_mids_;  // per configured filter; 0: nothing asked, or answered
  std::span<bool> granted_;             // per configured filter
  std::unique_ptr<Journaling> journaling_;
  SourceHandler* handler_ = nullptr;

  uint64_t offset_ = 0;
  bool had_session_ = false;        // the broker is expected to know this client
  bool foreign_ = false;            // the stored state belongs to another client id's session
  bool waiting_for_clear_ = false;  // the handler was told; a checkpoint will make the empty tail durable
  bool held_ = false;               // an acknowledgement in the queue is not covered by a committed checkpoint
  bool in_barrier_ = false;
  bool reading_ = false;  // inside the library: what may not be called there waits for settle()
  bool connack_arrived_ = false;
  /// This process has read the answer to every CONNECT since the subscriptions were confirmed. A broker makes an empty session
  /// for a CONNECT whose answer is lost, and calls that session present ever after.
  bool session_followed_ = false;
  bool connack_awaited_ = false;
  Connack connack_;
  bool subscribe_due_ = false;
  uint32_t subscribes_open_ = 0;
  bool refused_subscription_ = false;
  bool leave_due_ = false;
  const char* leave_why_ = "";
  bool waits_for_clock_ = false;
  bool stopping_ = false;
  bool goodbye_said_ = false;
  bool warned_of_dup_ = false;
  int64_t stop_boot_ms_ = 0;
  int64_t blocked_boot_ms_ = -1;  // since when the handler has not been ready
  Now now_;
};

}  // namespace weir
