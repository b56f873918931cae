#include "agent/app/restart_history.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "agent/base/hash.h"
#include "agent/base/log.h"

namespace weir {
namespace {

constexpr uint32_t record_version = 1;
constexpr size_t record_bytes = 2 * 4 + 4 * 8 + restart_cause_max + restart_state_bytes;
static_assert(record_bytes <= RestartFile::record_bytes_max);

/// Another one after every boot. 0: the system does not tell.
uint64_t read_boot_id() {
  const int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return 0;
  std::array<char, 64> text;
  const ssize_t bytes = read(descriptor, text.data(), text.size());
  close(descriptor);
  return bytes <= 0 ? 0 : hash64(as_bytes({text.data(), static_cast<size_t>(bytes)}));
}

}  // namespace

void RestartRecord::set_cause(std::string_view text) {
  cause = {};
  std::ranges::copy(text.substr(0, cause.size() - 1), cause.begin());
}

int64_t restart_clock_shift_ms(Now then, Now now) {
  const bool both_set = then.wall_ms >= earliest_plausible_wall_ms && now.wall_ms >= then.wall_ms;
  const int64_t passed_ms = both_set ? now.wall_ms - then.wall_ms : 0;
  return now.boot_ms - passed_ms - then.boot_ms;
}

void RestartHistory::open(const std::string& state_dir, const std::vector<std::string>& names) {
  boot_id_ = read_boot_id();
  if (const Status status = file_.open(state_dir, names); !status.ok()) {
    log(LogLevel::Warning, "%s/weir.restarts: %s (%d); restarts are counted by this process only", state_dir.c_str(),
        status.text(), status.detail());
    file_.close();
  }
  if (file_.damaged())
    log(LogLevel::Warning, "%s/weir.restarts was damaged; what it knew of earlier failures is forgotten", state_dir.c_str());
}

LastRun RestartHistory::recall(std::string_view name, Now now, RestartRecord& record) const {
  const Bytes bytes = file_.find(name);
  if (bytes.empty()) return LastRun::Unknown;
  ByteReader in(bytes);
  const uint32_t version = in.get<uint32_t>();
  record.running = in.get<uint32_t>() != 0;
  const uint64_t boot_id = in.get<uint64_t>();
  Now then;
  then.boot_ms = in.get<int64_t>();
  then.wall_ms = in.get<int64_t>();
  record.fingerprint = in.get<uint64_t>();
  record.set_cause(std::string_view(as_text(in.get_bytes(restart_cause_max))).substr(0, restart_cause_max - 1));
  if (version != record_version || !load_restart_state(in, record.state)) {
    log(LogLevel::Warning, "%.*s: what is known of earlier restarts cannot be read and is forgotten",
        static_cast<int>(name.size()), name.data());
    record = {};
    return LastRun::Unknown;
  }
  const bool other_boot = boot_id != boot_id_ || then.boot_ms > now.boot_ms;
  if (other_boot) shift_restart_state(record.state, restart_clock_shift_ms(then, now));
  if (!record.running) return LastRun::Orderly;
  return other_boot ? LastRun::PowerLost : LastRun::Died;
}

Status RestartHistory::put(std::string_view name, const RestartRecord& record, Now now) {
  std::array<uint8_t, record_bytes> memory;
  ByteWriter out(memory);
  out.put(record_version);
  out.put(uint32_t{record.running});
  out.put(boot_id_);
  out.put(now.boot_ms);
  out.put(now.wall_ms);
  out.put(record.fingerprint);
  out.put_bytes(as_bytes({record.cause.data(), record.cause.size()}));
  save_restart_state(record.state, out);
  WEIR_ASSERT(out.size() == record_bytes);
  return file_.put(name, out.bytes());
}

}  // namespace weir
