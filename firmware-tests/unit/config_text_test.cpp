#include "agent/config/binder.h"
#include "agent/config/field_rule.h"
#include "agent/config/quantity.h"
#include "agent/config/topic_filter.h"
#include "agent/config/topic_template.h"
#include "agent/model/topic_match.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

void is_ms(int64_t expected, const char* text) {
  Quantity quantity = parse_duration(text);
  STRCMP_EQUAL("", quantity.problem.c_str());
  CHECK_TRUE_TEXT(quantity.value == expected, text);
}
void is_bytes(int64_t expected, const char* text) {
  Quantity quantity = parse_size(text);
  STRCMP_EQUAL("", quantity.problem.c_str());
  CHECK_TRUE_TEXT(quantity.value == expected, text);
}

bool is_filter(std::string_view text) { return topic_filter_problem(text) == nullptr; }
void overlap(bool expected, const char* a, const char* b) {
  std::string text = std::string(a) + " and " + b;
  CHECK_TRUE_TEXT(topic_filters_overlap(a, b) == expected, text.c_str());
  CHECK_TRUE_TEXT(topic_filters_overlap(b, a) == expected, text.c_str());
}

bool is_template(const char* text) { return check_template(text).message == nullptr; }
void points_at(const char* text, size_t offset, size_t length) {
  TemplateProblem problem = check_template(text);
  CHECK_FALSE_TEXT(is_template(text), text);
  UNSIGNED_LONGS_EQUAL_TEXT(offset, problem.offset, text);
  UNSIGNED_LONGS_EQUAL_TEXT(length, problem.length, text);
}

}  // namespace

TEST_GROUP(Quantity){};

TEST(Quantity, knows_every_unit) {
  is_ms(7, "7ms");
  is_ms(7000, "7s");
  is_ms(420000, "7min");
  is_ms(25200000, "7h");
  is_ms(604800000, "7d");
  is_bytes(7, "7B");
  is_bytes(7000, "7kB");
  is_bytes(7168, "7KiB");
  is_bytes(7000000, "7MB");
  is_bytes(7 << 20, "7MiB");
  is_bytes(7000000000, "7GB");
  is_bytes(int64_t{7} << 30, "7GiB");
}

TEST(Quantity, takes_fractions_that_are_whole_in_the_smallest_unit) {
  is_ms(1500, "1.5s");
  is_ms(90, "0.0015min");
  is_bytes(1536, "1.5KiB");
  STRCMP_EQUAL("\"0.5ms\" is too large or too fine", parse_duration("0.5ms").problem.c_str());
}

TEST(Quantity, takes_what_fits_and_no_more) {
  is_ms(99999999999999, "99999999999999ms");
  for (const char* text : {"9999999999999999s", "999999999999999d", "1.0000000000000000s"})
    CHECK_FALSE_TEXT(parse_duration(text).problem.empty(), text);
}

TEST(Quantity, refuses_what_is_no_number_with_a_unit) {
  for (const char* text : {"", "s", "-5s", "5 s", "5S", "5.s", ".5s", "5sec", "5s ", " 5s", "1h30min", "+5s", "00", "5"})
    CHECK_FALSE_TEXT(parse_duration(text).problem.empty(), text);
  for (const char* text : {"8mb", "8M", "8K", "8KB", "8Kib"}) CHECK_FALSE_TEXT(parse_size(text).problem.empty(), text);
  is_ms(0, "0");
}

TEST(Quantity, a_signed_duration_may_stand_behind_a_minus_sign) {
  LONGS_EQUAL(-1500, parse_signed_duration("-1.5s").value);
  LONGS_EQUAL(1500, parse_signed_duration("1.5s").value);
  LONGS_EQUAL(0, parse_signed_duration("-0").value);
  for (const char* text : {"-", "--5s", "- 5s", "-5"}) CHECK_FALSE_TEXT(parse_signed_duration(text).problem.empty(), text);
}

TEST(Quantity, is_shown_in_the_largest_whole_unit) {
  STRCMP_EQUAL("90s", duration_text(90000).c_str());
  STRCMP_EQUAL("1d", duration_text(86400000).c_str());
  STRCMP_EQUAL("1500ms", duration_text(1500).c_str());
  STRCMP_EQUAL("0s", duration_text(0).c_str());
  STRCMP_EQUAL("64KiB", size_text(65536).c_str());
  STRCMP_EQUAL("63B", size_text(63).c_str());
}

TEST_GROUP(TopicFilter){};

TEST(TopicFilter, wildcards_stand_alone_in_their_level) {
  for (const char* filter :
       {"a", "/", "+", "#", "a/+/b", "a/#", "+/#", "//", "$SYS/#", "a b", "$share/g/a", "$share/g/#", "$share"})
    CHECK_TRUE_TEXT(is_filter(filter), filter);
  for (const char* filter : {"", "a+", "+a", "a#", "a/#/b", "#/", "##", "++", "a/b+", "$share/", "$share/g", "$share/g/",
                             "$share//a", "$share/+/a", "$share/g#/a", "$share/g/a#"})
    CHECK_FALSE_TEXT(is_filter(filter), filter);
  CHECK_FALSE(is_filter(std::string_view("a\0b", 3)));
  CHECK(is_filter(std::string(65535, 'a')));
  CHECK_FALSE(is_filter(std::string(65536, 'a')));
}

TEST(TopicFilter, overlap_means_a_common_topic) {
  overlap(true, "a/b", "a/b");
  overlap(false, "a/b", "a/c");
  overlap(true, "a/+", "+/b");
  overlap(false, "a/+", "b/+");
  overlap(true, "a/#", "a");
  overlap(true, "a/#", "a/b/c");
  overlap(false, "a/#", "b");
  overlap(false, "a/b/#", "a");
  overlap(true, "+/+", "/");
  overlap(false, "+", "/");
  overlap(false, "#", "$SYS/a");
  overlap(false, "+/a", "$SYS/a");
  overlap(true, "$SYS/#", "$SYS/+/a");
  overlap(true, "$share/one/a/+", "a/b");
  overlap(true, "$share/one/a", "$share/two/a");
  overlap(true, "+/#", "a");
  overlap(false, "a/+/#", "a");
}

TEST(TopicFilter, levels_are_counted_without_the_share) {
  bool unbounded = true;
  LONGS_EQUAL(3, topic_filter_levels("a/+/b", unbounded));
  CHECK_FALSE(unbounded);
  LONGS_EQUAL(1, topic_filter_levels("$share/g/a", unbounded));
  LONGS_EQUAL(2, topic_filter_levels("a/b/#", unbounded));
  CHECK(unbounded);
}

// A topic without wildcards is a filter that matches itself only, so that overlapping is matching.
TEST(TopicFilter, agrees_with_the_recorded_vectors) {
  std::string text = read_whole_file(WEIR_SOURCE_DIR "/../shared/data/topic_vectors.tsv");
  if (text.empty()) {
    UT_PRINT("skipped: ../shared/data/topic_vectors.tsv is not there");
    return;
  }
  size_t vectors = 0;
  for (size_t at = text.find('\n') + 1; at < text.size(); at = text.find('\n', at) + 1) {
    std::string line = text.substr(at, text.find('\n', at) - at);
    size_t first = line.find('\t');
    size_t second = line.find('\t', first + 1);
    size_t third = line.find('\t', second + 1);
    std::string filter = line.substr(0, first);
    std::string topic = line.substr(first + 1, second - first - 1);
    std::string expected = line.substr(second + 1, third - second - 1);
    bool valid = topic_filter_problem(filter) == nullptr && topic.find_first_of("+#") == std::string::npos;
    const char* found = !valid ? "invalid" : topic_filters_overlap(filter, topic) ? "match" : "nomatch";
    STRCMP_EQUAL_TEXT(expected.c_str(), found, line.c_str());
    if (valid) CHECK_EQUAL_TEXT(expected == "match", topic_matches(filter, topic), line.c_str());
    ++vectors;
  }
  LONGS_EQUAL(96, vectors);
}

TEST(TopicFilter, matches_without_the_share_and_keeps_system_topics_apart) {
  CHECK(topic_matches("$share/g/a/+", "a/b"));
  CHECK(topic_matches("#", "a/b"));
  CHECK_FALSE(topic_matches("#", "$SYS/broker"));
  CHECK_FALSE(topic_matches("+/broker", "$SYS/broker"));
  CHECK(topic_matches("$SYS/#", "$SYS/broker"));
  CHECK(topic_matches("a/#", "a"));
  CHECK_FALSE(topic_matches("a/+", "a"));
  CHECK_FALSE(topic_matches("a", "a/b"));
}

TEST_GROUP(ConfigTopicTemplate){};

TEST(ConfigTopicTemplate, braces_come_in_pairs_around_a_name) {
  for (const char* text : {"a", "{a}", "a/{b}/{c}", "{a}{b}", "/{odd name}/"}) CHECK_TRUE_TEXT(is_template(text), text);
  points_at("a/{b", 2, 2);
  points_at("a/{b/{c}", 2, 3);
  points_at("a}", 1, 1);
  points_at("a/{}", 2, 2);
  points_at("a/+", 2, 1);
  points_at("#", 0, 1);
}

TEST_GROUP(FieldRule) {
  Diagnostics diagnostics;
  SourceField field;

  bool parse(const std::string& rule) {
    Node node;
    node.kind = NodeKind::String;
    node.key = "name";
    node.text = {rule, {0, 1, 1}, {}};
    field = {};
    diagnostics = {};
    return parse_field_rule(node, field, diagnostics);
  }
  void path_is(const std::vector<PathSegment>& expected) { CHECK(field.path == expected); }
  void refuses(const char* rule, uint32_t column, const char* message) {
    CHECK_FALSE_TEXT(parse(rule), rule);
    LONGS_EQUAL_TEXT(1, diagnostics.errors(), rule);
    STRCMP_EQUAL(message, diagnostics.all()[0].message.c_str());
    UNSIGNED_LONGS_EQUAL_TEXT(column, diagnostics.all()[0].at.column, rule);
  }
};

TEST(FieldRule, a_type_alone_takes_the_member_of_the_field_s_name) {
  for (auto [rule, type] :
       {std::pair{"bool", Type::Bool}, {"int", Type::Int}, {"float", Type::Float}, {"string", Type::String}}) {
    CHECK(parse(rule));
    CHECK(field.field.type == type);
    CHECK(field.origin == FieldOrigin::Payload);
    path_is({{"name", -1}});
  }
}

TEST(FieldRule, strings_have_a_length) {
  CHECK(parse("string"));
  LONGS_EQUAL(64, field.field.max_length);
  CHECK(parse("string(1)"));
  LONGS_EQUAL(1, field.field.max_length);
  CHECK(parse("string(4096) $.dev.id"));
  LONGS_EQUAL(4096, field.field.max_length);
  refuses("string(0)", 8, "a string's length is a number from 1 to 4096");
  refuses("string(4097)", 8, "a string's length is a number from 1 to 4096");
  refuses("string(", 8, "a string's length is a number from 1 to 4096");
  refuses("string(5", 9, "expected ')' here");
}

TEST(FieldRule, times_have_a_unit) {
  for (auto [rule, format] : {std::pair{"time(s)", TimeFormat::Seconds},
                              {"time(ms)", TimeFormat::Milliseconds},
                              {"time(us)", TimeFormat::Microseconds},
                              {"time(ns)", TimeFormat::Nanoseconds},
                              {"time(rfc3339) $.time", TimeFormat::Rfc3339}}) {
    CHECK(parse(rule));
    CHECK(field.field.type == Type::Time);
    CHECK(field.time_format == format);
  }
  refuses("time", 1, "a time needs its unit");
  refuses("time(min)", 6, "unknown unit of time \"min\"");
}

TEST(FieldRule, paths_have_members_quoted_members_and_positions) {
  CHECK(parse("float $.ENERGY.Power"));
  path_is({{"ENERGY", -1}, {"Power", -1}});
  CHECK(parse("float $[\"odd name\"][\"a/b\"][0]"));
  path_is({{"odd name", -1}, {"a/b", -1}, {"", 0}});
  CHECK(parse("float $[\"a\\\"b\"].c"));
  path_is({{"a\"b", -1}, {"c", -1}});
  CHECK(parse("float $[3].größe"));
  path_is({{"", 3}, {"größe", -1}});
}

TEST(FieldRule, bad_paths_are_pointed_at) {
  refuses("float x", 7, "a path begins with $");
  refuses("float $", 7, "the path names no member");
  refuses("float $.", 9, "expected a member's name behind the dot");
  refuses("float $..a", 9, "expected a member's name behind the dot");
  refuses("float $[", 9, "an element's position is a number from 0 to 65535");
  refuses("float $[-1]", 9, "an element's position is a number from 0 to 65535");
  refuses("float $[65536]", 9, "an element's position is a number from 0 to 65535");
  refuses("float $[1", 10, "expected ']' here");
  refuses("float $[\"a]", 9, "the quoted name has no end");
  refuses("float $[\"\"]", 9, "the quoted name is empty");
  refuses("float $.a b", 11, "unexpected text at the end of the field's rule");
  refuses("float$.a", 6, "unexpected text behind the type");
  refuses("float $.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", 40, "a path has at most 16 segments");
}

TEST(FieldRule, a_local_time_names_its_zone) {
  CHECK(parse("time(local, +05:30)"));
  CHECK(field.time_format == TimeFormat::Local);
  LONGS_EQUAL(19'800'000, field.zone->offset_ms(0));
  CHECK(parse("time(local,CET-1CEST,M3.5.0,M10.5.0/3 ) $.when"));
  STRCMP_EQUAL("CET-1CEST,M3.5.0,M10.5.0/3", field.zone->name().c_str());
  STRCMP_EQUAL("when", field.path[0].name.c_str());
  CHECK(parse("time(local, UTC)"));
  refuses("time(local)", 6, "a local time needs its time zone");
  for (const char* none : {"time(local, )", "time(local, Mars Olympus)"})
    refuses(none, 13,
            "no such time zone; it is an IANA name (Europe/Vienna), an offset (+05:30) or a POSIX TZ string with its rules");
  refuses("time(local, +05:30", 19, "expected ')' here");
}

TEST(FieldRule, topic_segments_are_strings_and_arrival_is_a_time) {
  CHECK(parse("topic[12]"));
  CHECK(field.origin == FieldOrigin::TopicSegment);
  CHECK(field.field.type == Type::String);
  LONGS_EQUAL(12, field.topic_segment);
  LONGS_EQUAL(64, field.field.max_length);
  CHECK(parse(" arrival "));
  CHECK(field.origin == FieldOrigin::Arrival);
  CHECK(field.field.type == Type::Time);
  refuses("topic", 6, "expected '[' here");
  refuses("topic[x]", 7, "the segment of a topic is a number from 0 to 65535");
  refuses("arrival x", 9, "unexpected text at the end of the field's rule");
}

TEST(FieldRule, unknown_types_are_refused) {
  refuses("", 1, "unknown field type \"\"");
  refuses("double", 1, "unknown field type \"double\"");
}

TEST(FieldRule, sixty_four_fields_are_allowed_and_one_more_is_refused) {
  ConfigFixture config;
  std::string fields;
  for (int index = 0; index < 61; ++index) fields += "f" + std::to_string(index) + " = \"int\", ";
  CHECK(config.edit("fields = { ", "fields = { " + fields));
  STRCMP_EQUAL("", config.report().c_str());
  CHECK(config.edit("fields = { ", "fields = { more = \"int\", "));
  STRCMP_CONTAINS("a record has at most 64 fields", config.report().c_str());
}

TEST_GROUP(Inside) {
  ConfigFixture config;

  /// The place of the first `needle` in the value of a filter that is written as `written`, in line 6.
  Location place(const std::string& written, const std::string& needle) {
    config.write("[agent]\n\n[[pipeline]]\nname = \"p\"\n[[pipeline.step]]\nfilter = " + written + "\n");
    LoadedConfig loaded = config.load();
    CHECK_EQUAL(size_t{1}, loaded.specification.pipeline.size());
    const Text& text = loaded.specification.pipeline[0].step[0].filter;
    return inside(text, text.value.find(needle));
  }
  void stands_at(uint32_t line, uint32_t column, const Location& at) {
    LONGS_EQUAL(line, at.line);
    LONGS_EQUAL(column, at.column);
  }
};

TEST(Inside, counts_characters_of_a_plain_string) { stands_at(6, 11, place("\"x > 5\"", "x")); }

TEST(Inside, counts_characters_not_bytes) { stands_at(6, 15, place("\"größ > 5\"", " > ")); }

TEST(Inside, sees_through_escape_sequences) {
  stands_at(6, 16, place("\"\\\"a\\\"x\"", "x"));
  stands_at(6, 17, place("\"\\u0041x\"", "x"));
  stands_at(6, 18, place("\"a\\u00e9x\"", "x"));
  stands_at(6, 22, place("\"a\\U0001F600x\"", "x"));
}

TEST(Inside, takes_a_literal_string_as_it_stands) { stands_at(6, 14, place("'a\\tx'", "x")); }

TEST(Inside, follows_the_lines_of_a_multi_line_string) {
  stands_at(7, 3, place("'''\na x'''", "x"));
  stands_at(7, 3, place("\"\"\"a\n  x\"\"\"", "x"));
  stands_at(7, 3, place("\"\"\"a\\\n  x\"\"\"", "x"));
}

TEST(Inside, stays_in_the_text_with_an_offset_past_its_end) {
  Text text = {"abc", {0, 1, 5}, {}};
  LONGS_EQUAL(8, inside(text, 3).column);
  LONGS_EQUAL(8, inside(text, 1000).column);
  text = {"a\"", {0, 1, 5}, "a\\\""};
  LONGS_EQUAL(8, inside(text, 1000).column);
  text = {"a", {}, {}};
  LONGS_EQUAL(0, inside(text, 0).line);
}
