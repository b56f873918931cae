#include "agent/runtime/part_decision.h"

#include "firmware-tests/support/json_values.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

const char* const stored =
    "window tumbling\nshape size_ms 1000\nkey device string(8)\nu64 sequence\n"
    "aggregate(8) n \"count null\" count()\n";
const char* const longer =
    "window tumbling\nshape size_ms 2000\nkey device string(8)\nu64 sequence\n"
    "aggregate(8) n \"count null\" count()\n";
const char* const more =
    "window tumbling\nshape size_ms 1000\nkey device string(8)\nu64 sequence\n"
    "aggregate(8) n \"count null\" count()\naggregate(9) low \"min int\" min(v)\n";

}  // namespace

TEST_GROUP(PartDecision) {
  PartDecisions decisions;

  void decide(const char* wanted) { decisions.push_back(decide_part("s", stored, wanted)); }
  void orphan(bool refused) {
    PartDecision decision;
    decision.fate = PartFate::Orphan;
    decision.uid = "gone";
    decision.refused = refused;
    decisions.push_back(decision);
  }
};

TEST(PartDecision, the_same_description_matches) {
  decide(stored);
  CHECK(decisions[0].fate == PartFate::Match);
  CHECK_FALSE(any_refused(decisions));
  STRCMP_EQUAL("  part  state\n  s     match\n", decisions_table(decisions).c_str());
  STRCMP_EQUAL("", refusal_text(decisions).c_str());
}

TEST(PartDecision, a_lossless_difference_is_converted_and_named) {
  decide(more);
  CHECK(decisions[0].fate == PartFate::Converted);
  CHECK_FALSE(any_refused(decisions));
  STRCMP_CONTAINS("  s     converted     aggregate low: new, begins empty\n", decisions_table(decisions).c_str());
}

TEST(PartDecision, what_cannot_be_converted_is_refused_with_both_sides_and_ways_out) {
  decide(longer);
  CHECK(decisions[0].fate == PartFate::Incompatible);
  CHECK(any_refused(decisions));
  const std::string text = refusal_text(decisions);
  STRCMP_CONTAINS("  ! shape size_ms 1000\n", text.c_str());
  STRCMP_CONTAINS("shape size_ms 2000\n", text.c_str());
  STRCMP_CONTAINS("    u64 sequence ", text.c_str());
  STRCMP_CONTAINS("take the change of the step back", text.c_str());
  CHECK(text.find("weir state drop") == std::string::npos);
  decisions[0].kept = true;
  STRCMP_CONTAINS("weir state drop --step s", refusal_text(decisions).c_str());
}

TEST(PartDecision, a_description_that_cannot_be_read_is_refused) {
  decisions.push_back(decide_part("s", "no\nsuch thing\n", stored));
  CHECK(decisions[0].refused);
  STRCMP_CONTAINS("the stored description cannot be read", decisions_table(decisions).c_str());
}

TEST(PartDecision, an_orphan_is_refused_unless_it_is_allowed) {
  orphan(true);
  STRCMP_CONTAINS("  gone  orphan        has no step; refused without --allow-non-restored-state\n",
                  decisions_table(decisions).c_str());
  STRCMP_CONTAINS("id_previous = \"gone\"", refusal_text(decisions).c_str());
  decisions.clear();
  orphan(false);
  STRCMP_CONTAINS("kept for its return", decisions_table(decisions).c_str());
  STRCMP_EQUAL("", refusal_text(decisions).c_str());
}

TEST(PartDecision, is_json_for_programs) {
  decide(longer);
  decide(more);
  orphan(true);
  decisions[1].stored_uid = "before \"it\"";
  const std::string json = decisions_json(decisions);
  CHECK(is_json(json));
  STRCMP_CONTAINS(
      "{\"part\":\"s\",\"state\":\"incompatible\",\"refused\":true,\"differences\":[{\"text\":\"size_ms: was 1000\","
      "\"lossless\":false}",
      json.c_str());
  STRCMP_CONTAINS("\"stored_as\":\"before \\\"it\\\"\"", json.c_str());
  STRCMP_EQUAL("[]", decisions_json({}).c_str());
}
