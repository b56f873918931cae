#include "firmware-tests/crash/torture_verdict.h"

#include <algorithm>
#include <set>

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

ReceivedMessage result_of(const char* key, const char* numbers, const char* id) {
  ReceivedMessage message;
  message.topic = std::string("torture-results/varied/") + key;
  message.payload = std::string("{\"device\":\"") + key + "\",\"id\":\"" + id + "\"," + numbers +
                    ",\"window_start\":1000,\"window_end\":1500}";
  message.weir_id = id;
  return message;
}

/// Two keys with one window each: k1 holds 3 and -1, k2 holds 5.
TEST_GROUP(Account) {
  Account account{true};
  ReceivedMessage k1 = result_of("k1", "\"n\":2,\"total\":2,\"low\":-1,\"high\":3", "id-1");
  ReceivedMessage k2 = result_of("k2", "\"n\":1,\"total\":5,\"low\":5,\"high\":5", "id-2");

  void setup() override {
    expect("k1", 3);
    expect("k1", -1);
    expect("k2", 5);
  }
  void expect(const char* key, int64_t value) {
    TortureMessage message;
    message.pipeline = "varied";
    message.key = key;
    message.window_start = 1000;
    message.value = value;
    account.expect(message);
  }
};

TEST(Account, is_clean_when_every_window_holds_what_was_published) {
  const Verdict verdict = account.judge({k1, k2});
  CHECK_TRUE(verdict.good());
  UNSIGNED_LONGS_EQUAL(3, verdict.applied);
}

TEST(Account, allows_the_same_result_again_with_the_same_id) {
  const Verdict verdict = account.judge({k1, k2, k1});
  CHECK_TRUE(verdict.good());
  UNSIGNED_LONGS_EQUAL(1, verdict.repeats);
  UNSIGNED_LONGS_EQUAL(3, verdict.applied);
}

TEST(Account, counts_the_messages_of_a_missing_result_as_lost) { UNSIGNED_LONGS_EQUAL(2, account.judge({k2}).lost); }

TEST(Account, counts_what_a_window_lacks_as_lost) {
  k1 = result_of("k1", "\"n\":1,\"total\":3,\"low\":3,\"high\":3", "id-1");
  UNSIGNED_LONGS_EQUAL(1, account.judge({k1, k2}).lost);
}

TEST(Account, counts_what_a_window_has_too_much_as_duplicated) {
  k1 = result_of("k1", "\"n\":4,\"total\":4,\"low\":-1,\"high\":3", "id-1");
  const Verdict verdict = account.judge({k1, k2});
  UNSIGNED_LONGS_EQUAL(2, verdict.duplicated);
  UNSIGNED_LONGS_EQUAL(0, verdict.lost);
}

TEST(Account, notices_a_right_count_with_a_wrong_sum) {
  k1 = result_of("k1", "\"n\":2,\"total\":3,\"low\":-1,\"high\":3", "id-1");
  const Verdict verdict = account.judge({k1, k2});
  UNSIGNED_LONGS_EQUAL(1, verdict.wrong_content);
  CHECK_FALSE(verdict.good());
}

TEST(Account, counts_a_second_different_result_of_a_window_as_duplicated) {
  const ReceivedMessage again = result_of("k1", "\"n\":2,\"total\":2,\"low\":-1,\"high\":3", "id-3");
  const Verdict verdict = account.judge({k1, k2, again});
  UNSIGNED_LONGS_EQUAL(2, verdict.duplicated);
  UNSIGNED_LONGS_EQUAL(1, verdict.wrong_ids);
}

TEST(Account, notices_one_id_with_two_different_payloads) {
  const ReceivedMessage again = result_of("k1", "\"n\":1,\"total\":3,\"low\":3,\"high\":3", "id-1");
  CHECK_FALSE(account.judge({k1, k2, again}).good());
}

TEST(Account, notices_two_windows_with_one_id) {
  k2 = result_of("k2", "\"n\":1,\"total\":5,\"low\":5,\"high\":5", "id-1");
  UNSIGNED_LONGS_EQUAL(1, account.judge({k1, k2}).wrong_ids);
}

TEST(Account, notices_a_result_without_an_id) {
  k2.weir_id = "";
  UNSIGNED_LONGS_EQUAL(1, account.judge({k1, k2}).wrong_ids);
}

TEST(Account, notices_an_id_that_is_not_the_payloads) {
  k2.weir_id = "id-7";
  UNSIGNED_LONGS_EQUAL(1, account.judge({k1, k2}).wrong_ids);
}

TEST(Account, takes_the_payloads_id_where_the_protocol_has_no_properties) {
  Account old{false};
  TortureMessage message;
  message.pipeline = "varied";
  message.key = "k2";
  message.window_start = 1000;
  message.value = 5;
  old.expect(message);
  k2.weir_id = "";
  CHECK_TRUE(old.judge({k2}).good());
  k2 = result_of("k2", "\"n\":1,\"total\":5,\"low\":5,\"high\":5", "");
  UNSIGNED_LONGS_EQUAL(1, old.judge({k2}).wrong_ids);
}

TEST(Account, notices_a_window_that_nobody_published_into) {
  const ReceivedMessage stray = result_of("k9", "\"n\":7,\"total\":2,\"low\":-1,\"high\":3", "id-9");
  UNSIGNED_LONGS_EQUAL(7, account.judge({k1, k2, stray}).duplicated);
}

TEST(Account, notices_a_payload_that_is_no_result) {
  k2.payload = "{\"n\":1}";
  CHECK_FALSE(account.judge({k1, k2}).good());
}

TEST(Account, keeps_filtered_messages_apart) {
  TortureMessage message;
  message.pipeline = "varied";
  message.filtered = true;
  account.expect(message);
  UNSIGNED_LONGS_EQUAL(1, account.filtered("varied"));
  UNSIGNED_LONGS_EQUAL(3, account.passing("varied"));
  UNSIGNED_LONGS_EQUAL(0, account.filtered("constant"));
}

TEST_GROUP(TortureStream){};

TEST(TortureStream, is_a_function_of_seed_and_number) {
  const TortureStream stream(7, 20);
  const TortureStream same(7, 20);
  const TortureStream other(8, 20);
  size_t differ = 0;
  for (uint64_t number = 1; number < 1000; ++number) {
    STRCMP_EQUAL(stream.message(number).payload.c_str(), same.message(number).payload.c_str());
    STRCMP_EQUAL(stream.message(number).topic.c_str(), same.message(number).topic.c_str());
    if (stream.message(number).payload != other.message(number).payload) ++differ;
  }
  CHECK_TRUE(differ > 700);
}

TEST(TortureStream, has_messages_that_differ_in_nothing) {
  const TortureStream stream(7, 20);
  std::set<std::string> constant;
  size_t count = 0;
  for (uint64_t number = 1; number < 1000; ++number) {
    const TortureMessage message = stream.message(number);
    if (std::string(message.pipeline) != "constant") continue;
    constant.insert(message.topic + message.payload);
    ++count;
  }
  UNSIGNED_LONGS_EQUAL(3, constant.size());
  CHECK_TRUE(count > 200);
}

TEST(TortureStream, never_runs_back_further_than_the_windows_wait) {
  const TortureStream stream(7, 20);
  int64_t newest = 0;
  for (uint64_t number = 1; number < 20000; ++number) {
    const TortureMessage message = stream.message(number);
    if (std::string(message.pipeline) != "varied") continue;
    CHECK_TRUE(message.window_start + torture_window_ms - 1 > newest - torture_max_delay_ms - 1);
    newest = std::max(newest, message.window_start);
  }
}

}  // namespace
