#include "firmware-tests/support/fake_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "agent/base/assert.h"

namespace weir {
namespace {

std::string two_bytes(uint16_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)}; }

std::string sized(const std::string& text) { return two_bytes(static_cast<uint16_t>(text.size())) + text; }

std::string varint(size_t value) {
  std::string bytes;
  do {
    auto byte = static_cast<uint8_t>(value % 128);
    value /= 128;
    bytes += static_cast<char>(value > 0 ? byte | 0x80 : byte);
  } while (value > 0);
  return bytes;
}

/// Reads the pieces of a packet's body. The clients under test are trusted to be well-formed.
struct Pieces {
  const std::string& body;
  size_t at = 0;

  uint8_t byte() { return static_cast<uint8_t>(body.at(at++)); }
  uint16_t number() {
    auto high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  std::string text() {
    size_t size = number();
    at += size;
    return body.substr(at - size, size);
  }
  size_t length() {
    size_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      uint8_t each = byte();
      value |= static_cast<size_t>(each & 0x7F) << shift;
      if ((each & 0x80) == 0) return value;
    }
  }
  std::string rest() { return body.substr(at); }
};

}  // namespace

FakeBroker::FakeBroker() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  WEIR_ASSERT(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  WEIR_ASSERT(listen(listener_, 8) == 0);
  socklen_t size = sizeof address;
  WEIR_ASSERT(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread(&FakeBroker::run, this);
}

FakeBroker::~FakeBroker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  uint64_t one = 1;
  WEIR_ASSERT(write(wake_, &one, sizeof one) == sizeof one);
  thread_.join();
  if (connection_ >= 0) close(connection_);
  close(listener_);
  close(wake_);
}

void FakeBroker::run() {
  for (;;) {
    pollfd fds[3] = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}, {-1, POLLIN, 0}};
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      fds[2].fd = connection_;
    }
    if (poll(fds, 3, 20) <= 0) continue;
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (fds[1].revents != 0) accept_connection();
    // The test may have ended that connection meanwhile.
    if (fds[2].fd >= 0 && fds[2].fd == connection_ && fds[2].revents != 0 && !read_connection()) end_connection_locked();
  }
}

void FakeBroker::accept_connection() {
  int accepted = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (accepted < 0) return;
  end_connection_locked();
  int on = 1;
  WEIR_ASSERT(setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  connection_ = accepted;
}

bool FakeBroker::read_connection() {
  char buffer[4096];
  ssize_t size = recv(connection_, buffer, sizeof buffer, 0);
  if (size <= 0) return size < 0 && errno == EAGAIN;
  input_.append(buffer, static_cast<size_t>(size));
  while (connection_ >= 0 && take_packet()) {
  }
  return true;
}

bool FakeBroker::take_packet() {
  size_t length = 0;
  size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= input_.size()) return false;
    auto byte = static_cast<uint8_t>(input_[at++]);
    length |= static_cast<size_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (input_.size() < at + length) return false;
  ReceivedPacket packet;
  auto first = static_cast<uint8_t>(input_[0]);
  packet.type = static_cast<Packet>(first >> 4);
  packet.flags = first & 0x0F;
  packet.body = input_.substr(at, length);
  input_.erase(0, at + length);
  handle(std::move(packet));
  return true;
}

void FakeBroker::handle(ReceivedPacket packet) {
  if (packet.type == Packet::Connect) ++connection_count_;
  packet.connection = connection_count_;
  switch (packet.type) {
    case Packet::Connect:
      answer_connect(packet.body);
      break;
    case Packet::Publish:
      answer_publish(packet);
      break;
    case Packet::Puback:
      packet.mid = Pieces{packet.body}.number();
      break;
    case Packet::Subscribe:
      answer_subscribe(packet, false);
      break;
    case Packet::Unsubscribe:
      answer_subscribe(packet, true);
      break;
    case Packet::Pingreq:
      send_locked(Packet::Pingresp, 0, "");
      break;
    default:
      break;
  }
  received_.push_back(std::move(packet));
}

void FakeBroker::answer_connect(const std::string& body) {
  version_5_ = body.at(6) == 5;
  if (!answers_.connack) return;
  std::string answer;
  answer += static_cast<char>(answers_.connack_reason == 0 && answers_.session_present ? 1 : 0);
  answer += static_cast<char>(answers_.connack_reason);
  if (version_5_) {
    std::string properties;
    if (answers_.receive_maximum > 0) properties += '\x21' + two_bytes(answers_.receive_maximum);
    if (answers_.max_packet_size > 0)
      properties += '\x27' + two_bytes(static_cast<uint16_t>(answers_.max_packet_size >> 16)) +
                    two_bytes(static_cast<uint16_t>(answers_.max_packet_size & 0xFFFF));
    answer += varint(properties.size()) + properties;
  }
  send_locked(Packet::Connack, 0, answer);
}

void FakeBroker::answer_publish(ReceivedPacket& packet) {
  Pieces pieces{packet.body};
  packet.topic = pieces.text();
  bool acknowledged = (packet.flags & 0x06) != 0;
  if (acknowledged) packet.mid = pieces.number();
  if (version_5_) {
    size_t end = pieces.length();
    end += pieces.at;
    while (pieces.at < end) {
      WEIR_ASSERT(pieces.byte() == 0x26);  // a user property; the clients under test send no other
      std::string name = pieces.text();
      packet.properties.emplace_back(name, pieces.text());
    }
  }
  packet.payload = pieces.rest();
  if (!acknowledged || !answers_.puback) return;
  std::string answer = two_bytes(packet.mid);
  if (answers_.puback_reason != 0) answer += static_cast<char>(answers_.puback_reason);
  send_locked(Packet::Puback, 0, answer);
}

void FakeBroker::answer_subscribe(ReceivedPacket& packet, bool unsubscribe) {
  Pieces pieces{packet.body};
  packet.mid = pieces.number();
  if (version_5_) pieces.at += pieces.length();
  packet.topic = pieces.text();
  if (!unsubscribe) packet.options = pieces.byte();
  std::string answer = two_bytes(packet.mid);
  if (version_5_) answer += '\0';
  if (!unsubscribe || version_5_)
    answer += static_cast<char>(unsubscribe ? 0 : (answers_.suback_code >= 0 ? answers_.suback_code : packet.options & 0x03));
  send_locked(unsubscribe ? Packet::Unsuback : Packet::Suback, 0, answer);
}

void FakeBroker::answer(const std::function<void(Answers&)>& change) {
  std::lock_guard lock(mutex_);
  change(answers_);
}

void FakeBroker::publish(const Publication& publication) {
  std::lock_guard lock(mutex_);
  std::string body = sized(publication.topic);
  if (publication.mid != 0) body += two_bytes(publication.mid);
  if (version_5_) body += '\0';
  body += publication.payload;
  auto flags = static_cast<uint8_t>((publication.dup ? 8 : 0) | (publication.mid != 0 ? 2 : 0) | (publication.retain ? 1 : 0));
  send_locked(Packet::Publish, flags, body);
}

void FakeBroker::send_bytes(const std::string& bytes) {
  std::lock_guard lock(mutex_);
  write_locked(bytes);
}

void FakeBroker::send_puback(uint16_t mid, int reason) {
  std::lock_guard lock(mutex_);
  send_locked(Packet::Puback, 0, two_bytes(mid) + (reason != 0 ? std::string(1, static_cast<char>(reason)) : ""));
}

void FakeBroker::close_connection() {
  std::lock_guard lock(mutex_);
  end_connection_locked();
}

void FakeBroker::reset_connection() {
  std::lock_guard lock(mutex_);
  if (connection_ < 0) return;
  linger at_once{1, 0};
  WEIR_ASSERT(setsockopt(connection_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
  end_connection_locked();
}

void FakeBroker::send_disconnect(uint8_t reason) {
  std::lock_guard lock(mutex_);
  send_locked(Packet::Disconnect, 0, std::string(1, static_cast<char>(reason)));
  end_connection_locked();
}

void FakeBroker::send_locked(Packet type, uint8_t flags, const std::string& body) {
  write_locked(static_cast<char>(static_cast<uint8_t>(type) << 4 | flags) + varint(body.size()) + body);
}

void FakeBroker::write_locked(const std::string& bytes) {
  size_t sent = 0;
  while (connection_ >= 0 && sent < bytes.size()) {
    ssize_t size = send(connection_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size > 0) {
      sent += static_cast<size_t>(size);
    } else if (errno == EAGAIN) {
      pollfd writable{connection_, POLLOUT, 0};
      // A client that has stopped reading: the rest is lost, as it would be with a real broker's connection.
      if (poll(&writable, 1, 1000) <= 0) return;
    } else {
      return;
    }
  }
}

void FakeBroker::end_connection_locked() {
  if (connection_ < 0) return;
  close(connection_);
  connection_ = -1;
  input_.clear();
}

std::vector<ReceivedPacket> FakeBroker::received() const {
  std::lock_guard lock(mutex_);
  return received_;
}

size_t FakeBroker::count(Packet type, int connection) const { return mids(type, connection).size(); }

std::vector<uint16_t> FakeBroker::mids(Packet type, int connection) const {
  std::lock_guard lock(mutex_);
  std::vector<uint16_t> mids;
  for (const ReceivedPacket& packet : received_)
    if (packet.type == type && (connection == 0 || packet.connection == connection)) mids.push_back(packet.mid);
  return mids;
}

int FakeBroker::connections() const {
  std::lock_guard lock(mutex_);
  return connection_count_;
}

bool FakeBroker::connected() const {
  std::lock_guard lock(mutex_);
  return connection_ >= 0;
}

}  // namespace weir
