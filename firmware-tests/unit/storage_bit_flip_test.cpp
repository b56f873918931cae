// One flipped bit anywhere in the database, or in its log while that is alive: each is noticed, or does no harm. Never does a
// start take anything for the state that is not the state of a checkpoint, and never an older one without a word.
//
// Every seed is fixed. The suite runs a part of the flips; WEIR_LONG=1 in the environment runs 3,000 and 800.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/unit/storage_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

#define CHECK_OK(expression) STRCMP_EQUAL("ok", (expression).text())

namespace {

int flips(int in_long_run, int in_short_run) { return getenv("WEIR_LONG") != nullptr ? in_long_run : in_short_run; }

std::string with_flipped_bit(std::string file, size_t at, unsigned bit) {
  file[at] = static_cast<char>(static_cast<unsigned char>(file[at]) ^ (1U << bit));
  return file;
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

}  // namespace

TEST_GROUP(BitFlips) {
  static constexpr uint64_t checkpoints = 12;
  StoreFixture fixture;
  uint32_t source = 0;
  uint32_t step = 0;
  uint64_t instance = 0;
  std::string text_of[checkpoints + 1];
  std::map<std::string, int> ends;

  void setup() override {
    // What a power cut would do is not the question here, and free pages are no target worth hitting.
    fixture.options.database_bytes = 0;
    fixture.options.durability = CommitDurability::ProcessCrash;
  }
  TestCheckpoint checkpoint(uint64_t id) const {
    TestCheckpoint made(id);
    const std::string bytes = std::to_string(id) + std::string(700 + id * 31, static_cast<char>('a' + id % 26));
    made.state(source, "source " + bytes).state(step, "step " + bytes);
    made.put(BlobKind::Base, step, static_cast<uint32_t>(id % 4), "chunk " + std::string(12000, 'k') + bytes);
    made.put(BlobKind::Delta, step, 0, "delta " + bytes).put(BlobKind::SessionTail, source, 0, "tail " + bytes);
    if (id % 3 == 0) made.put(BlobKind::Outbox, step, 0, "results " + bytes + bytes);
    if (id > 4) made.trim(BlobKind::Delta, step, id - 4).trim(BlobKind::Outbox, step, id - 5);
    if (id > 2) made.trim(BlobKind::SessionTail, source, id - 2);
    return made;
  }
  void commit_all() {
    CHECK_OK(fixture.open());
    source = fixture.part("source");
    step = fixture.part("step");
    instance = fixture.store->instance();
    CHECK_OK(fixture.store->reserve_ids(fixture.pipeline, 1000));
    for (uint64_t id = 1; id <= checkpoints; ++id) {
      CHECK_OK(fixture.commit(checkpoint(id)));
      text_of[id] = fixture.loaded();
    }
  }

  /// Starts as the agent does, and goes on; says what became of it.
  std::string start() {
    fixture.store.reset();
    Status status = fixture.open();
    if (!status.ok())
      return status.code() == Code::Corrupt || status.code() == Code::Incompatible
                 ? "refused"
                 : std::string("FAILED OTHERWISE: ") + status.text();
    if (fixture.part("source") == 0 || fixture.part("step") == 0) return "refused";
    const PipelineRow row = fixture.row();
    RecordingHandler handler;
    status = fixture.store->load(fixture.pipeline, handler);
    if (status.code() == Code::Corrupt) return "refused";
    if (status.code() == Code::NotFound)
      return row.newest_known_id == checkpoints ? "begun anew, and said so" : "SILENTLY EMPTY";
    if (!status.ok()) return std::string("FAILED OTHERWISE: ") + status.text();
    if (fixture.store->instance() != instance) return "SILENTLY ANOTHER STORE";
    uint64_t found = 0;
    for (uint64_t id = 1; id <= checkpoints; ++id)
      if (handler.text == text_of[id]) found = id;
    if (found == 0) return "SILENTLY WRONG: " + handler.text;
    const bool told = !handler.damaged.empty() || row.newest_known_id > found;
    if (found < checkpoints && !told) return "SILENTLY OLDER";
    if (row.reserved_id < checkpoints) return "IDS WOULD BE USED AGAIN";
    return go_on(handler.text, found == checkpoints ? "harmless" : "noticed, an older checkpoint");
  }
  /// One more checkpoint, and its state is what was loaded with its changes.
  std::string go_on(const std::string& loaded, const std::string& end) {
    const Status committed =
        fixture.commit(TestCheckpoint(1001).state(source, "s").state(step, "t").put(BlobKind::Delta, step, 0, "d"));
    if (!committed.ok())
      return committed.code() == Code::Corrupt ? "noticed when writing" : std::string("FAILED OTHERWISE: ") + committed.text();
    std::set<std::string> expected = lines_of(loaded);
    std::erase_if(expected, [](const std::string& line) { return line.starts_with("state "); });
    expected.insert("state op=" + std::to_string(source) + " index=0 checkpoint=1001: s");
    expected.insert("state op=" + std::to_string(step) + " index=0 checkpoint=1001: t");
    expected.insert("delta op=" + std::to_string(step) + " index=0 checkpoint=1001: d");
    RecordingHandler handler;
    const Status status = fixture.store->load(fixture.pipeline, handler);
    if (status.ok() && handler.damaged.empty()) return lines_of(handler.text) == expected ? end : "SILENTLY WRONG AFTERWARDS";
    return "noticed afterwards";
  }
  void check_ends() {
    printf("\n");
    for (const auto& [end, count] : ends) {
      printf("  %5d %s\n", count, end.c_str());
      CHECK_TEXT(end.find("SILENTLY") == std::string::npos && end.find("IDS") == std::string::npos, end.c_str());
      CHECK_TEXT(end.find("OTHERWISE") == std::string::npos, end.c_str());
    }
  }
};

TEST(BitFlips, in_the_database_are_noticed_or_do_no_harm) {
  constexpr uint64_t seed = 20240611;
  commit_all();
  fixture.close();
  const std::string database = read_whole_file(fixture.database_path());
  const std::string newest = read_whole_file(fixture.options.state_dir + "/weir.newest");
  const int count = flips(3000, 600);
  printf("\n%d bit flips in a database of %zu bytes, seed=%llu", count, database.size(), static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int flip = 0; flip < count; ++flip) {
    const size_t at = static_cast<size_t>(random.below(database.size()));
    const auto bit = static_cast<unsigned>(random.below(8));
    fixture.store.reset();
    CHECK_OK(write_whole_file(fixture.database_path(), with_flipped_bit(database, at, bit)));
    CHECK_OK(write_whole_file(fixture.options.state_dir + "/weir.newest", newest));
    remove((fixture.database_path() + "-wal").c_str());
    ++ends[start()];
  }
  check_ends();
  CHECK(ends["noticed, an older checkpoint"] > 0);
  CHECK(ends["refused"] > 0);
}

TEST(BitFlips, in_a_live_log_are_noticed_or_do_no_harm) {
  constexpr uint64_t seed = 20240612;
  const pid_t child = fork();
  if (child == 0) {
    commit_all();
    _exit(0);  // nothing is closed: all of it lives in the log
  }
  int result = 0;
  LONGS_EQUAL(child, waitpid(child, &result, 0));
  LONGS_EQUAL(0, WEXITSTATUS(result));
  const std::string wal_path = fixture.database_path() + "-wal";
  const std::string database = read_whole_file(fixture.database_path());
  const std::string wal = read_whole_file(wal_path);
  const std::string newest = read_whole_file(fixture.options.state_dir + "/weir.newest");
  // What the child had loaded, for this process.
  StoreFixture twin;
  std::swap(fixture.options.state_dir, twin.options.state_dir);
  commit_all();
  fixture.close();
  std::swap(fixture.options.state_dir, twin.options.state_dir);
  CHECK_OK(fixture.open());
  instance = fixture.store->instance();
  const size_t used = wal.find_last_not_of('\0') + 1;
  const int count = flips(800, 300);
  printf("\n%d bit flips in the %zu used bytes of a log, seed=%llu", count, used, static_cast<unsigned long long>(seed));
  Random random(seed);
  for (int flip = 0; flip < count; ++flip) {
    const size_t at = static_cast<size_t>(random.below(used));
    const auto bit = static_cast<unsigned>(random.below(8));
    fixture.store.reset();
    CHECK_OK(write_whole_file(fixture.database_path(), database));
    CHECK_OK(write_whole_file(wal_path, with_flipped_bit(wal, at, bit)));
    CHECK_OK(write_whole_file(fixture.options.state_dir + "/weir.newest", newest));
    ++ends[start()];
  }
  check_ends();
  CHECK(ends["noticed, an older checkpoint"] > 0);
}
