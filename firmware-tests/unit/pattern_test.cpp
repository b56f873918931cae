// The vectors are those of Flink's documentation of MATCH_RECOGNIZE.
#include "agent/operators/pattern_parse.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr int64_t second = 1000;
constexpr int64_t minute = 60'000;

}  // namespace

TEST_GROUP(PatternStep) {
  std::string max_delay = "0s";
  std::string beside;

  std::string toml(const std::string& options) const {
    return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\n"
           "fields = { price = \"float\", ts = \"time(ms)\", name = \"string(8)\" }\n"
           "event_time = { field = \"ts\", max_delay = \"" +
           max_delay + "\" }\n[[pipeline.step]]\nid = \"p\"\n" + beside + "pattern = { " + options + " }\n";
  }
  /// The prices at 0, `every`, 2 `every`, ...; returns the results without match_start and match_end.
  std::string matches(const std::string& options, const std::vector<double>& prices, int64_t every = second) const {
    StepRig rig(toml(options));
    STRCMP_EQUAL("", rig.problems().c_str());
    int64_t ts = 0;
    for (double price : prices) {
      rig.feed(row(price, ts));
      ts += every;
    }
    rig.finish();
    UNSIGNED_LONGS_EQUAL(0, rig.counts().late);
    return without_times(rig.take_output());
  }
  static std::string row(double price, int64_t ts) {
    return "{\"price\":" + std::to_string(price) + ",\"ts\":" + std::to_string(ts) + "}";
  }
  static std::string without_times(const std::string& output) {
    std::string text;
    for (size_t at = 0; at < output.size(); at = output.find('\n', at) + 1) {
      const size_t end = output.find('\n', at);
      const size_t cut = output.find("\"match_end\":", at);
      const size_t comma = std::min(output.find(',', cut), end - 1);
      text += "{" + output.substr(comma + 1, end - comma - 1) + " ";
    }
    return text;
  }
  void refuses(const char* why, const std::string& options) const {
    STRCMP_CONTAINS(why, StepRig(toml(options)).problems().c_str());
  }
};

TEST(PatternStep, flink_1_an_aggregate_of_the_condition_s_own_rows) {
  STRCMP_EQUAL("{\"start\":0,\"end\":3000,\"mean\":14.5} {\"start\":5000,\"end\":10000,\"mean\":13.5} ",
               matches("sequence = { a = \"mean < 15\", b = \"true\" }, repeat = { a = \"+\" }, within = \"1h\", "
                       "measures = { start = \"first(a.ts)\", end = \"last(a.ts)\", mean = \"avg(a.price)\" }",
                       {12, 17, 13, 16, 25, 2, 4, 10, 15, 25, 25, 30})
                   .c_str());
}

TEST(PatternStep, flink_2_greedy_and_reluctant) {
  const std::string rest =
      ", sequence = { a = \"price > 10\", b = \"price < 15\", c = \"price > 12\" }, within = \"1h\", "
      "measures = { last_price = \"last(c.price)\" }";
  const std::vector<double> prices = {10, 11, 12, 13, 14, 16};
  STRCMP_EQUAL("{\"last_price\":16} ", matches("repeat = { b = \"*\" }" + rest, prices).c_str());
  STRCMP_EQUAL("{\"last_price\":13} {\"last_price\":16} ", matches("repeat = { b = \"*?\" }" + rest, prices).c_str());
}

TEST(PatternStep, flink_3_within_a_time_its_end_included) {
  const std::string rest =
      "sequence = { a = \"true\", b = \"price > a_price - 10\", c = \"price < a_price - 10\" }, "
      "repeat = { b = \"*\" }, measures = { a_price = \"last(a.price)\", drop_time = \"last(c.ts)\", "
      "c_price = \"last(c.price)\" }, within = ";
  const std::vector<double> prices = {20, 17, 18, 11, 14, 9, 15, 14, 24, 1, 19};
  STRCMP_EQUAL("{\"a_price\":15,\"drop_time\":10800000,\"c_price\":1} ", matches(rest + "\"1h\"", prices, 20 * minute).c_str());
  STRCMP_EQUAL("{\"a_price\":14,\"drop_time\":10800000,\"c_price\":1} ",
               matches(rest + "\"3599s\"", prices, 20 * minute).c_str());
}

TEST(PatternStep, flink_4_a_condition_that_looks_at_the_row_before) {
  STRCMP_EQUAL("{\"before\":12,\"first\":10,\"top\":13,\"after\":11} ",
               matches("sequence = { a = \"before is null or price > before\", b = \"price < top\" }, repeat = { a = \"+\" }, "
                       "within = \"1h\", measures = { before = \"last(a.price, 1)\", first = \"first(a.price)\", "
                       "top = \"last(a.price)\", after = \"last(b.price)\" }",
                       {10, 12, 13, 11})
                   .c_str());
}

TEST(PatternStep, falls_back_to_a_shorter_repetition_where_the_longest_leads_nowhere) {
  // Every row fits a; the last one must be left to b.
  STRCMP_EQUAL("{\"rows\":3,\"b\":4} ", matches("sequence = { a = \"price < 10\", b = \"price = 4\" }, repeat = { a = \"+\" }, "
                                                "within = \"1h\", measures = { rows = \"count(a)\", b = \"last(b.price)\" }",
                                                {1, 2, 3, 4, 5, 6})
                                            .c_str());
}

TEST(PatternStep, strict_contiguity_ends_at_a_row_that_fits_nowhere_and_relaxed_passes_it_over) {
  const std::string rest =
      ", sequence = { a = \"price = 1\", b = \"price = 2\" }, within = \"1h\", "
      "measures = { n = \"count(b)\" }";
  STRCMP_EQUAL("", matches("contiguity = \"strict\"" + rest, {1, 5, 2}).c_str());
  STRCMP_EQUAL("{\"n\":1} ", matches("contiguity = \"strict\"" + rest, {1, 2}).c_str());
  STRCMP_EQUAL("{\"n\":1} ", matches("contiguity = \"relaxed\"" + rest, {1, 5, 2}).c_str());
}

TEST(PatternStep, a_condition_may_follow_otherwise_than_the_sequence) {
  const std::string rest =
      ", sequence = { a = \"price = 1\", b = \"price = 2\", c = \"price = 3\" }, within = \"1h\", "
      "measures = { n = \"count(c)\" }";
  const std::string relaxed_b = "follow = { b = \"relaxed\" }" + rest;
  STRCMP_EQUAL("{\"n\":1} ", matches(relaxed_b, {1, 5, 2, 3}).c_str());
  STRCMP_EQUAL("", matches(relaxed_b, {1, 5, 2, 5, 3}).c_str());
  STRCMP_EQUAL("{\"n\":1} ", matches(relaxed_b, {1, 2, 3}).c_str());
  const std::string strict_b = "contiguity = \"relaxed\", follow = { b = \"strict\" }" + rest;
  STRCMP_EQUAL("", matches(strict_b, {1, 5, 2, 3}).c_str());
  STRCMP_EQUAL("{\"n\":1} ", matches(strict_b, {1, 2, 5, 3}).c_str());
}

TEST(PatternStep, a_strict_condition_takes_no_more_once_a_row_was_passed_over) {
  const std::string options =
      "follow = { b = \"relaxed\" }, repeat = { a = \"+\" }, sequence = { a = \"price = 1\", b = \"price = 2\" }, "
      "within = \"1h\", measures = { n = \"count(a)\" }";
  STRCMP_EQUAL("{\"n\":2} ", matches(options, {1, 1, 5, 2}).c_str());
  // The 1 behind the 5 begins an attempt of its own, but the first that began is preferred.
  STRCMP_EQUAL("{\"n\":2} ", matches(options, {1, 1, 5, 1, 2}).c_str());
  // Relaxed a takes it.
  STRCMP_EQUAL("{\"n\":3} ", matches("contiguity = \"relaxed\", " + options, {1, 1, 5, 1, 2}).c_str());
}

TEST(PatternStep, goes_on_behind_the_last_or_behind_the_first_row_of_a_match) {
  const std::string rest =
      ", sequence = { a = \"price > 0\", b = \"price > 0\" }, within = \"1h\", "
      "measures = { a = \"last(a.price)\", b = \"last(b.price)\" }";
  STRCMP_EQUAL("{\"a\":1,\"b\":2} {\"a\":3,\"b\":4} ", matches("skip = \"past-last\"" + rest, {1, 2, 3, 4}).c_str());
  STRCMP_EQUAL("{\"a\":1,\"b\":2} {\"a\":2,\"b\":3} {\"a\":3,\"b\":4} ",
               matches("skip = \"next-record\"" + rest, {1, 2, 3, 4}).c_str());
}

TEST(PatternStep, counts_rows_as_the_quantifier_says) {
  auto counted = [&](const char* quantifier) {
    return matches(
        std::string("repeat = { a = \"") + quantifier +
            "\" }, sequence = { a = \"price = 1\", b = \"price = 2\" }, within = \"1h\", measures = { n = \"count(a)\" }",
        {2, 1, 2, 1, 1, 2, 1, 1, 1, 2});
  };
  STRCMP_EQUAL("{\"n\":0} {\"n\":1} {\"n\":2} {\"n\":3} ", counted("*").c_str());
  STRCMP_EQUAL("{\"n\":1} {\"n\":2} {\"n\":3} ", counted("+").c_str());
  STRCMP_EQUAL("{\"n\":0} {\"n\":1} {\"n\":1} {\"n\":1} ", counted("?").c_str());
  STRCMP_EQUAL("{\"n\":2} {\"n\":2} ", counted("{2}").c_str());
  STRCMP_EQUAL("{\"n\":2} {\"n\":3} ", counted("{2,}").c_str());
  STRCMP_EQUAL("{\"n\":0} {\"n\":1} {\"n\":2} {\"n\":2} ", counted("{,2}").c_str());
  STRCMP_EQUAL("{\"n\":1} {\"n\":2} {\"n\":2} ", counted("{1,2}").c_str());
}

TEST(PatternStep, an_earlier_beginning_is_preferred_even_if_it_completes_later) {
  // The match of 2 and 3 completes first, but lies inside the one from 1 to 4.
  STRCMP_EQUAL(
      "{\"start\":1,\"end\":4} ",
      matches("sequence = { a = \"true\", b = \"price < 4\", c = \"price = 4 or (price = 3 and start = 2)\" }, "
              "repeat = { b = \"*\" }, within = \"1h\", measures = { start = \"last(a.price)\", end = \"last(c.price)\" }",
              {1, 2, 3, 4})
          .c_str());
}

TEST(PatternStep, a_match_that_waits_for_a_longer_one_is_certain_when_the_time_is_over) {
  StepRig rig(
      toml("sequence = { a = \"price > 0\" }, repeat = { a = \"+\" }, contiguity = \"relaxed\", within = \"10s\", "
           "measures = { n = \"count(a)\" }"));
  rig.feed(row(1, 0));
  rig.feed(row(1, 1000));
  rig.feed(row(-1, 10'000));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(row(-1, 10'001));
  STRCMP_EQUAL("{\"match_start\":0,\"match_end\":1000,\"n\":2}\n", rig.take_output().c_str());
}

TEST(PatternStep, sorts_by_event_time_and_refuses_what_the_watermark_has_passed) {
  max_delay = "5s";
  StepRig rig(toml("sequence = { a = \"price = 1\", b = \"price = 2\" }, within = \"1h\""));
  rig.feed(row(2, 2000));
  rig.feed(row(1, 1000));
  rig.feed(row(9, 6000));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(row(9, 7001));  // the watermark comes to 2000
  STRCMP_EQUAL("{\"match_start\":1000,\"match_end\":2000}\n", rig.take_output().c_str());
  rig.feed(row(1, 2000));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  rig.feed(row(1, 2001));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
}

TEST(PatternStep, takes_the_oldest_at_once_when_max_rows_wait) {
  max_delay = "1h";
  StepRig rig(toml("sequence = { a = \"price = 1\", b = \"price = 2\" }, within = \"1h\", max_rows = 2"));
  rig.feed(row(1, 1000));
  rig.feed(row(2, 2000));
  rig.feed(row(3, 3000));
  rig.feed(row(9, 500));  // older than all that wait while there is no room
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(row(4, 4000));
  STRCMP_EQUAL("{\"match_start\":1000,\"match_end\":2000}\n", rig.take_output().c_str());
}

TEST(PatternStep, gives_up_and_counts_the_latest_begun_when_max_partial_is_reached) {
  const std::string rest =
      "sequence = { a = \"price < 9\", b = \"price < 9\", c = \"price = 9\" }, repeat = { b = \"*\" }, "
      "within = \"1h\", skip = \"next-record\", measures = { n = \"count(b)\" }, max_partial = ";
  STRCMP_EQUAL("{\"n\":2} {\"n\":1} {\"n\":0} ", matches(rest + "3", {1, 2, 3, 9}).c_str());
  STRCMP_EQUAL("{\"n\":2} {\"n\":1} ", matches(rest + "2", {1, 2, 3, 9}).c_str());
}

TEST(PatternStep, null_is_not_true) {
  StepRig rig(toml("sequence = { a = \"price > 0\" }, within = \"1s\""));
  rig.feed("{\"ts\":0}");
  rig.finish();
  STRCMP_EQUAL("", rig.take_output().c_str());
}

TEST(PatternStep, each_key_has_a_sequence_of_its_own_and_is_freed_when_nothing_is_waited_for) {
  beside = "key_by = [\"name\"]\nmax_keys = 1\n";
  StepRig rig(toml("sequence = { a = \"price = 1\", b = \"price = 2\" }, within = \"1s\""));
  rig.feed("{\"name\":\"x\",\"price\":1,\"ts\":0}");
  rig.feed("{\"name\":\"y\",\"price\":2,\"ts\":1}");
  STRCMP_EQUAL("refused p capacity\n", rig.take_output().c_str());
  rig.feed("{\"name\":\"x\",\"price\":3,\"ts\":5000}");
  rig.feed("{\"name\":\"x\",\"price\":4,\"ts\":4999}");
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  rig.finish();
  STRCMP_EQUAL("", rig.take_output().c_str());
}

TEST(PatternStep, refuses_what_cannot_be) {
  const std::string within = ", within = \"1s\"";
  refuses("could match without any record", "sequence = { a = \"true\" }, repeat = { a = \"*\" }" + within);
  refuses("says not how often", "sequence = { a = \"true\" }, repeat = { a = \"twice\" }" + within);
  refuses("there is no condition \"x\"", "sequence = { a = \"true\" }, repeat = { x = \"+\" }" + within);
  refuses("\"sequence\" is empty", "sequence = {}" + within);
  refuses("1 to 8 conditions",
          "sequence = { a = \"true\", b = \"true\", c = \"true\", d = \"true\", e = \"true\", f = \"true\", g = \"true\", "
          "h = \"true\", i = \"true\" }" +
              within);
  refuses("about one condition's records", "sequence = { a = \"true\" }, measures = { m = \"avg(price)\" }" + within);
  refuses("about one condition's records",
          "sequence = { a = \"true\", b = \"true\" }, measures = { m = \"avg(a.price - b.price)\" }" + within);
  refuses("unknown field \"pric\"", "sequence = { a = \"true\" }, measures = { m = \"avg(a.pric)\" }" + within);
  refuses("unknown aggregate \"mean\"", "sequence = { a = \"true\" }, measures = { m = \"mean(a.price)\" }" + within);
  refuses("two fields would be called \"price\"",
          "sequence = { a = \"true\" }, measures = { price = \"avg(a.price)\" }" + within);
  refuses("unknown field \"x\"", "sequence = { a = \"x > 1\" }" + within);
  refuses("needs \"within\"", "sequence = { a = \"true\" }");
}

TEST_GROUP(PatternParse){};

TEST(PatternParse, reads_quantifiers_and_refuses_what_takes_no_row) {
  struct Case {
    const char* text;
    uint32_t least, most;
    bool greedy;
  };
  constexpr uint32_t many = PatternVariable::no_limit;
  for (const Case& each :
       {Case{"+", 1, many, true}, Case{"*?", 0, many, false}, Case{"?", 0, 1, true}, Case{"??", 0, 1, false},
        Case{"{3}", 3, 3, true}, Case{"{2,5}?", 2, 5, false}, Case{"{,5}", 0, 5, true}, Case{"{2,}", 2, many, true}}) {
    PatternVariable variable;
    CHECK_TRUE_TEXT(parse_quantifier(each.text, variable), each.text);
    UNSIGNED_LONGS_EQUAL_TEXT(each.least, variable.least, each.text);
    UNSIGNED_LONGS_EQUAL_TEXT(each.most, variable.most, each.text);
    CHECK_TRUE_TEXT(each.greedy == variable.greedy, each.text);
  }
  for (const char* text :
       {"", "x", "{}", "{,}", "{0}", "{3,2}", "{,0}", "{1", "1}", "{1,2,3}", "{-1}", "{99999999999}", "+*", "{ 1}"}) {
    PatternVariable variable;
    CHECK_FALSE_TEXT(parse_quantifier(text, variable), text);
  }
}

TEST(PatternParse, takes_the_condition_s_name_out_of_a_call_and_leaves_the_rest_in_place) {
  const std::vector<std::string> names = {"a", "high"};
  auto taken = [&](std::string call, int expected) {
    LONGS_EQUAL_TEXT(expected, take_variable(call, names), call.c_str());
    return call;
  };
  STRCMP_EQUAL("avg(  price)", taken("avg(a.price)", 0).c_str());
  STRCMP_EQUAL("max(     x -      y)", taken("max(high.x - high.y)", 1).c_str());
  STRCMP_EQUAL("count( )", taken("count(a)", 0).c_str());
  STRCMP_EQUAL("count(  )", taken("count( a)", 0).c_str());
  STRCMP_EQUAL("first(  a)", taken("first(a.a)", 0).c_str());
  STRCMP_EQUAL("last(  s = 'a.b')", taken("last(a.s = 'a.b')", 0).c_str());
  STRCMP_EQUAL("avg(ba.price)", taken("avg(ba.price)", -1).c_str());
  taken("avg(a.x - high.y)", -1);
  taken("", -1);
  taken("a", -1);
}
