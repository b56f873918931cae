#include "agent/model/state_layout.h"

#include <cstdio>
#include <cstdlib>
#include <random>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

Schema three_fields() {
  Schema schema;
  schema.add({"device", Type::String, 16});
  schema.add({"value", Type::Float});
  schema.add({"a name with \"blanks\"\nand \\", Type::Bool});
  return schema;
}

/// One of everything.
StateLayout everything() {
  StateLayout layout;
  layout.kind = "window of all things";
  layout.add_shape("size_ms", 60000);
  layout.add_shape("open", "a > 1 and b = \"x y\"");
  layout.key = {{"device", Type::String, 16}, {"an id", Type::Int}, {"on", Type::Bool}, {"at", Type::Time}, {"f", Type::Float}};
  layout.own.add_time("watermark");
  layout.own.add_u32("slots");
  layout.fields.add_flag("present");
  layout.fields.add_signed(4, "i");
  layout.fields.add_i64("l");
  layout.fields.add_u8("a");
  layout.fields.add_u16("b");
  layout.fields.add_u32("c");
  layout.fields.add_u64("d");
  layout.fields.add_real(4, "single");
  layout.fields.add_f64("double");
  layout.fields.add_time("time");
  layout.fields.add_bytes(24, "raw", "count,total");
  layout.fields.add_bytes(3, "hash");
  layout.fields.add_aggregate(32, "mean", "avg float", "avg(value) if device like \"a%\"");
  layout.fields.add_argument("n", Type::Null, 0, "count()");
  layout.fields.add_argument("longest", Type::String, 9, "max(text)");
  layout.fields.add_cell("text", Type::String, 5);
  layout.fields.add_record("held", three_fields());
  layout.fields.add_u8("open");
  StoredFields& list = layout.fields.add_list("sessions", 4, "open");
  list.add_time("first");
  list.add_record("row", three_fields());
  StoredFields& ring = layout.fields.add_ring("samples", 10);
  ring.add_f64("value");
  return layout;
}

}  // namespace

TEST_GROUP(StateLayout) {
  uint64_t seed = 0;

  void same(const StateLayout& layout) {
    const std::string text = layout.text();
    Result<StateLayout> read = StateLayout::parse(text);
    CHECK(read.ok());
    STRCMP_EQUAL(text.c_str(), read.value().text().c_str());
    UNSIGNED_LONGS_EQUAL(layout.slot_bytes(), read.value().slot_bytes());
    UNSIGNED_LONGS_EQUAL(layout.own.bytes(), read.value().own.bytes());
  }
  void refused(const char* text) {
    const Result<StateLayout> read = StateLayout::parse(text);
    CHECK_TRUE_TEXT(!read.ok() && read.status().code() == Code::Corrupt, text);
  }
};

TEST(StateLayout, comes_back_from_its_text) { same(everything()); }

TEST(StateLayout, of_nothing_but_a_kind_comes_back) {
  StateLayout layout;
  layout.kind = "mqtt-source 1";
  same(layout);
  Result<StateLayout> plain = StateLayout::parse("mqtt-source 1");
  CHECK(plain.ok());
  STRCMP_EQUAL("mqtt-source 1", plain.value().kind.c_str());
}

TEST(StateLayout, counts_bytes) {
  const StateLayout layout = everything();
  // device 3 + 16, an id 9, on 2, at 9, f 9
  uint64_t key = 19 + 9 + 2 + 9 + 9;
  uint64_t record = 19 + 9 + 2;
  uint64_t numbers = 1 + 4 + 8 + 1 + 2 + 4 + 8 + 4 + 8 + 8;
  uint64_t rest = 24 + 3 + 32 + 1 + (1 + 12) + 8 + record + 1 + 4 * (8 + record) + 2 + 2 + 10 * 8;
  UNSIGNED_LONGS_EQUAL(key + numbers + rest, layout.slot_bytes());
  UNSIGNED_LONGS_EQUAL(12, layout.own.bytes());
  UNSIGNED_LONGS_EQUAL(0, layout.fields.at(0));
  UNSIGNED_LONGS_EQUAL(numbers, layout.fields.at(10));
}

TEST(StateLayout, finds_fields_by_their_names) {
  const StateLayout layout = everything();
  LONGS_EQUAL(0, layout.fields.find("present"));
  LONGS_EQUAL(-1, layout.fields.find("absent"));
}

TEST(StateLayout, refuses_what_is_no_description) {
  refused("");
  refused("\n");
  refused("k\nshape a");
  refused("k\nkey a null");
  refused("k\nkey a string(99999)");
  refused("k\nkey a string(-1)");
  refused("k\nkey a");
  refused("k\nu7 a");
  refused("k\nu128 a");
  refused("k\nf16 a");
  refused("k\nx8 a");
  refused("k\nu8");
  refused("k\nu8 a b");
  refused("k\n\"\" a");
  refused("k\nown \"\" a");
  refused("k\nu8 \"a");
  refused("k\nnull? a");
  refused("k\nbytes(40000) a");
  refused("k\nbytes(4 a");
  refused("k\naggregate(8) a b");
  refused("k\nlist a 4\nu8 b");
  refused("k\nlist a x\nend");
  refused("k\nlist a 4000000000\nend");
  refused("k\nring a 4 b\nend");
  refused("k\nrecord a b\nend");
  refused("k\nend");
  refused("k\n\nu8 a");
}

TEST(StateLayout, refuses_more_than_a_slot_holds) {
  CHECK(StateLayout::parse("k\nbytes(32768) a\n").ok());
  refused("k\nbytes(32768) a\nu8 b\n");
  refused("k\nlist a 4000\n  u64 b\n  u8 c\nend\n");
  std::string deep = "k\n";
  for (int level = 0; level < 20; ++level) deep += "record a\n";
  for (int level = 0; level < 20; ++level) deep += "end\n";
  refused(deep.c_str());
}

TEST(StateLayout, survives_any_text) {
  const char* given = getenv("WEIR_SEED");
  seed = given != nullptr ? strtoull(given, nullptr, 10) : std::random_device()();
  printf("WEIR_SEED=%llu ", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::string text = everything().text();
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = text;
    for (uint64_t edit = random() % 4 + 1; edit > 0; --edit) {
      const size_t at = random() % changed.size();
      if (random() % 2 == 0)
        changed[at] = static_cast<char>(random() % 96 + 32);
      else
        changed.erase(at, random() % 12);
      if (changed.empty()) changed = "k";
    }
    const Result<StateLayout> read = StateLayout::parse(changed);
    if (read.ok()) CHECK(read.value().slot_bytes() <= 32 * 1024);
  }
}
