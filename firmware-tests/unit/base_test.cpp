#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/crc32c.h"
#include "agent/base/hash.h"
#include "agent/base/heap_guard.h"
#include "agent/base/nearest_name.h"
#include "agent/base/text_writer.h"
#include "agent/base/utf8.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Crc32c){};

TEST(Crc32c, gives_the_check_values_of_rfc_3720) {
  UNSIGNED_LONGS_EQUAL(0xE3069283, crc32c(as_bytes("123456789")));
  std::vector<uint8_t> zeros(32, 0);
  std::vector<uint8_t> ones(32, 0xFF);
  UNSIGNED_LONGS_EQUAL(0x8A9136AA, crc32c(zeros));
  UNSIGNED_LONGS_EQUAL(0x62A8AB43, crc32c(ones));
}

TEST(Crc32c, is_the_same_by_instruction_and_by_table_at_every_length_and_alignment) {
  std::mt19937 random(7);
  std::vector<uint8_t> bytes(300);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t start = 0; start < 9; ++start)
    for (size_t length = 0; start + length <= bytes.size(); ++length) {
      Bytes part = Bytes(bytes).subspan(start, length);
      UNSIGNED_LONGS_EQUAL(crc32c_portable(part), crc32c(part));
    }
}

TEST(Crc32c, continues_from_what_came_before) {
  UNSIGNED_LONGS_EQUAL(crc32c(as_bytes("123456789")), crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))));
}

TEST_GROUP(Hash){};

TEST(Hash, is_stable_because_it_is_stored) {
  // XXH3 of xxHash 0.8, which promises these for ever.
  CHECK(hash64({}) == 0x2D06800538D394C2ULL);
  CHECK(hash64(as_bytes("weir")) == hash64(as_bytes("weir"), 0));
  Hash128 empty = hash128({});
  CHECK(empty.high == 0x99AA06D3014798D8ULL);
  CHECK(empty.low == 0x6001C324468D497FULL);
}

TEST(Hash, chained_by_seed_tells_where_one_part_ends) {
  CHECK(hash64(as_bytes("c"), hash64(as_bytes("ab"))) != hash64(as_bytes("bc"), hash64(as_bytes("a"))));
}

TEST_GROUP(Utf8){};

TEST(Utf8, takes_what_rfc_3629_takes_and_nothing_else) {
  for (const char* good :
       {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    CHECK_TEXT(utf8_valid(good), good);
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3"})
    CHECK_TEXT(!utf8_valid(bad), bad);
}

TEST_GROUP(TextWriter) {
  char memory[64] = {};
  TextWriter out{memory};
  std::string text() { return std::string(out.text()); }
};

TEST(TextWriter, writes_the_shortest_number_that_reads_back) {
  out.append_double(0.1).append(' ').append_double(21.5).append(' ').append_double(3.0).append(' ').append_double(1e300);
  STRCMP_EQUAL("0.1 21.5 3 1e+300", text().c_str());
}

TEST(TextWriter, has_no_number_for_nan_and_infinity) {
  out.append_double(std::nan("")).append(' ').append_double(std::numeric_limits<double>::infinity());
  STRCMP_EQUAL("null null", text().c_str());
}

TEST(TextWriter, escapes_what_json_must_not_hold) {
  out.append_json_string("a\"b\\c\n\x01\xC3\xA4\xFF");
  STRCMP_EQUAL("\"a\\\"b\\\\c\\n\\u0001\xC3\xA4\xEF\xBF\xBD\"", text().c_str());
}

TEST(TextWriter, remembers_that_it_ran_out_of_room_and_stays_inside) {
  char small[4];
  TextWriter tight(small);
  tight.append("abcd");
  CHECK_FALSE(tight.overflowed());
  tight.append('e');
  CHECK(tight.overflowed());
  UNSIGNED_LONGS_EQUAL(4, tight.size());
}

TEST_GROUP(NearestName) { std::vector<std::string> names{"temperature", "humidity", "ts"}; };

TEST(NearestName, finds_a_slip_and_leaves_strangers_alone) {
  STRCMP_EQUAL("temperature", nearest_name("temperatur", names).c_str());
  STRCMP_EQUAL("humidity", nearest_name("humidiyt", names).c_str());
  STRCMP_EQUAL("ts", nearest_name("t", names).c_str());
  STRCMP_EQUAL("", nearest_name("pressure", names).c_str());
}

TEST_GROUP(Arena) { Arena arena{1 << 20}; };

TEST(Arena, adds_up_what_was_taken_under_each_name) {
  arena.take<uint64_t>(10, "a", "ten");
  arena.take<uint8_t>(3, "b", "three");
  arena.take<uint64_t>(1, "a", "more");
  UNSIGNED_LONGS_EQUAL(2, arena.pools().size());
  size_t sum = 0;
  for (const Pool& pool : arena.pools()) sum += pool.bytes;
  UNSIGNED_LONGS_EQUAL(arena.used(), sum);
  UNSIGNED_LONGS_EQUAL(88, arena.pools()[0].bytes - 5);  // the five that align the second part
}

TEST(Arena, gives_zeroed_aligned_memory) {
  arena.take<uint8_t>(1, "odd", "");
  std::span<double> numbers = arena.take<double>(100, "numbers", "");
  UNSIGNED_LONGS_EQUAL(0, reinterpret_cast<uintptr_t>(numbers.data()) % alignof(double));
  for (double number : numbers) DOUBLES_EQUAL(0, number, 0);
}

/// What becomes of a process that takes `bytes` from an arena of 1 MiB under a limit of address space, if there is one.
int exit_code_of_taking(size_t bytes, rlim_t address_space = RLIM_INFINITY) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{address_space, address_space};
    setrlimit(RLIMIT_AS, &limit);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    Arena arena{address_space == RLIM_INFINITY ? size_t{1} << 20 : Arena::default_capacity};
    _exit(arena.take<uint8_t>(bytes, "large", "one of them").size() == bytes ? 0 : 1);
  }
  int how = 0;
  waitpid(child, &how, 0);
  return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

TEST(Arena, what_does_not_fit_is_a_wrong_configuration) {
  LONGS_EQUAL(0, exit_code_of_taking(1 << 20));
  LONGS_EQUAL(78, exit_code_of_taking((1 << 20) + 1));
  LONGS_EQUAL(78, exit_code_of_taking(SIZE_MAX));
}

TEST(Arena, makes_do_with_the_address_space_that_there_is) {
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // an emulator has its own there
  const rlim_t little = size_t{256} << 20;
  LONGS_EQUAL(0, exit_code_of_taking(1 << 20, little));
  LONGS_EQUAL(78, exit_code_of_taking(little, little));
#endif
}

TEST(Arena, spans_more_than_one_step_of_backing) {
  std::span<uint8_t> large = arena.take<uint8_t>(300'000, "large", "");
  large.front() = large.back() = 1;
  UNSIGNED_LONGS_EQUAL(300'000, arena.used());
}
