#include "agent/operators/state_conversion.h"

#include <algorithm>

#include "agent/operators/key_codec.h"
#include "agent/operators/value_cell.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

using Layout = StateLayout;

StateLayout keyed_by(std::vector<Field> key) {
  StateLayout layout;
  layout.kind = "thing";
  layout.key = std::move(key);
  return layout;
}

/// A key of these values, as a step would store it.
std::vector<uint8_t> key_bytes(const std::vector<Field>& fields, const std::vector<Value>& values) {
  Schema schema;
  std::vector<uint32_t> positions;
  for (const Field& field : fields) {
    positions.push_back(static_cast<uint32_t>(schema.size()));
    schema.add(field);
  }
  const KeyCodec codec(schema, positions);
  std::vector<uint8_t> room(static_cast<size_t>(codec.bytes_max()));
  const Bytes key = codec.encode(values, room);
  return {key.begin(), key.end()};
}

}  // namespace

TEST_GROUP(StateConversion) {
  StateLayout from = keyed_by({{"device", Type::String, 8}});
  StateLayout to = keyed_by({{"device", Type::String, 8}});
  std::vector<Value> key = {Value::of_string("d1")};
  std::vector<uint8_t> state;

  /// Makes room for the state of `from`.
  uint8_t* old_state() {
    if (state.empty()) state.resize(static_cast<size_t>(from.fields.bytes()));
    return state.data();
  }
  uint8_t* old_field(const char* name) { return old_state() + from.fields.at(static_cast<size_t>(from.fields.find(name))); }
  std::string differences() const {
    std::string text;
    const StateConversion conversion(from, to);
    for (const LayoutDifference& each : conversion.differences())
      text += (text.empty() ? "" : "; ") + each.text + (each.lossless ? "" : " !");
    return text;
  }
  void lossless(const char* expected) {
    STRCMP_EQUAL(expected, differences().c_str());
    CHECK(StateConversion(from, to).possible());
  }
  void refused(const char* expected) {
    STRCMP_EQUAL(expected, differences().c_str());
    CHECK_FALSE(StateConversion(from, to).possible());
  }
  Status convert(std::vector<uint8_t> & converted) {
    old_state();
    std::vector<uint8_t> slot = state;
    const std::vector<uint8_t> bytes = key_bytes(from.key, key);
    slot.insert(slot.end(), bytes.begin(), bytes.end());
    return StateConversion(from, to).convert(slot, converted);
  }
  std::vector<uint8_t> converted() {
    std::vector<uint8_t> bytes;
    const Status status = convert(bytes);
    STRCMP_EQUAL("ok", status.text());
    return bytes;
  }
  const uint8_t* field(const std::vector<uint8_t>& bytes, const char* name) const {
    return bytes.data() + to.fields.at(static_cast<size_t>(to.fields.find(name)));
  }
  void key_is(const std::vector<uint8_t>& bytes, const std::vector<Value>& expected) const {
    const std::vector<uint8_t> wanted = key_bytes(to.key, expected);
    const size_t begin = static_cast<size_t>(to.fields.bytes());
    CHECK(std::ranges::equal(wanted, std::span(bytes).subspan(begin)));
  }
};

TEST(StateConversion, of_the_same_layout_changes_nothing) {
  from.fields.add_u64("n");
  to.fields.add_u64("n");
  store(old_field("n"), uint64_t{7});
  lossless("");
  const std::vector<uint8_t> bytes = converted();
  UNSIGNED_LONGS_EQUAL(7, load<uint64_t>(field(bytes, "n")));
  key_is(bytes, {Value::of_string("d1")});
}

TEST(StateConversion, moves_fields_to_other_places) {
  from.fields.add_u8("a");
  from.fields.add_u64("b");
  to.fields.add_u64("b");
  to.fields.add_u8("a");
  *old_field("a") = 3;
  store(old_field("b"), uint64_t{1} << 40);
  lossless("");
  const std::vector<uint8_t> bytes = converted();
  UNSIGNED_LONGS_EQUAL(3, *field(bytes, "a"));
  UNSIGNED_LONGS_EQUAL(uint64_t{1} << 40, load<uint64_t>(field(bytes, "b")));
}

TEST(StateConversion, refuses_another_kind_another_shape_and_other_fields) {
  to.kind = "another";
  refused("kind: thing -> another !");
  to.kind = "thing";
  from.add_shape("size_ms", 60000);
  to.add_shape("size_ms", 30000);
  refused("size_ms: was 60000 !; size_ms: is now 30000 !");
  to.shape = from.shape;
  from.fields.add_u8("gone");
  refused("field gone: gone !");
  to.fields.add_u16("gone");
  refused("field gone: of another size or meaning !");
  to.fields = {};
  to.fields.add_u8("gone");
  to.fields.add_u8("more");
  refused("field more: new, begins empty !");
}

TEST(StateConversion, says_of_a_shape_only_what_differs) {
  from.add_shape("a", 1);
  from.add_shape("b", 2);
  to.add_shape("b", 2);
  to.add_shape("a", 1);
  refused("the order of its parts !");
}

TEST(StateConversion, widens_whole_numbers_to_floats_where_that_is_exact) {
  from.fields.add_i64("last");
  to.fields.add_f64("last");
  lossless("field last: int -> float");
  for (int64_t number : {int64_t{0}, int64_t{-5}, int64_t{1} << 53, -(int64_t{1} << 53)}) {
    store(old_field("last"), number);
    DOUBLES_EQUAL(static_cast<double>(number), load<double>(field(converted(), "last")), 0);
  }
  std::vector<uint8_t> bytes;
  for (int64_t number : {(int64_t{1} << 53) + 1, -(int64_t{1} << 53) - 1, INT64_MAX}) {
    store(old_field("last"), number);
    CHECK(convert(bytes).code() == Code::Incompatible);
  }
}

TEST(StateConversion, does_not_turn_floats_into_whole_numbers_nor_times_into_either) {
  from.fields.add_f64("last");
  to.fields.add_i64("last");
  refused("field last: of another kind !");
  from.fields = {};
  from.fields.add_time("last");
  refused("field last: of another kind !");
  from.fields = to.fields = {};
  from.fields.add_cell("last", Type::Time, 0);
  to.fields.add_cell("last", Type::Float, 0);
  refused("field last: time -> float !");
}

TEST(StateConversion, widens_cells) {
  from.fields.add_cell("n", Type::Int, 0);
  from.fields.add_cell("text", Type::String, 4);
  to.fields.add_cell("n", Type::Float, 0);
  to.fields.add_cell("text", Type::String, 9);
  lossless("field n: int -> float; field text: string(4) -> string(9)");
  ValueCell(Type::Int, 0).put(old_field("n"), Value::of_int(12));
  ValueCell(Type::String, 4).put(old_field("text"), Value::of_string("full"));
  const std::vector<uint8_t> bytes = converted();
  DOUBLES_EQUAL(12, ValueCell(Type::Float, 0).get(field(bytes, "n")).as_float(), 0);
  CHECK(ValueCell(Type::String, 9).get(field(bytes, "text")).as_string() == "full");
  ValueCell(Type::Int, 0).put(old_field("n"), Value::of_int(INT64_MAX));
  std::vector<uint8_t> none;
  CHECK(convert(none).code() == Code::Incompatible);
}

TEST(StateConversion, leaves_empty_cells_empty) {
  from.fields.add_cell("n", Type::Int, 0);
  to.fields.add_cell("n", Type::Float, 0);
  CHECK(ValueCell(Type::Float, 0).get(field(converted(), "n")).is_null());
}

TEST(StateConversion, does_not_cut_texts) {
  from.fields.add_cell("text", Type::String, 4);
  to.fields.add_cell("text", Type::String, 3);
  refused("field text: string(4) -> string(3) !");
}

TEST(StateConversion, widens_and_reorders_key_fields) {
  from.key = {{"device", Type::String, 8}, {"channel", Type::Int}};
  to.key = {{"channel", Type::Float}, {"device", Type::String, 20}};
  key = {Value::of_string("d1"), Value::of_int(3)};
  lossless(
      "key channel: at another place; key channel: int -> float; key device: at another place; key device: string(8) -> "
      "string(20)");
  key_is(converted(), {Value::of_float(3), Value::of_string("d1")});
  key = {Value::null(), Value::null()};
  key_is(converted(), {Value::null(), Value::null()});
  key = {Value::of_string("d1"), Value::of_int(INT64_MAX)};
  std::vector<uint8_t> none;
  CHECK(convert(none).code() == Code::Incompatible);
}

TEST(StateConversion, refuses_other_keys) {
  to.key.push_back({"channel", Type::Int});
  refused("key channel: new !");
  std::swap(from.key, to.key);
  refused("key channel: gone !");
  from.key = {{"device", Type::String, 8}};
  to.key = {{"device", Type::String, 7}};
  refused("key device: string(8) -> string(7) !");
  to.key = {{"device", Type::Int}};
  refused("key device: string(8) -> int !");
}

TEST(StateConversion, begins_new_aggregates_empty_and_drops_those_that_are_gone) {
  from.fields.add_aggregate(8, "n", "count null", "count()");
  from.fields.add_aggregate(17, "sum", "sum int", "sum(v)");
  to.fields.add_aggregate(9, "least", "min int", "min(v)");
  to.fields.add_aggregate(8, "n", "count null", "count()");
  lossless("aggregate least: new, begins empty; aggregate sum: gone");
  store(old_field("n"), uint64_t{9});
  const std::vector<uint8_t> bytes = converted();
  UNSIGNED_LONGS_EQUAL(9, load<uint64_t>(field(bytes, "n")));
  CHECK(std::all_of(field(bytes, "least"), field(bytes, "least") + 9, [](uint8_t byte) { return byte == 0; }));
}

TEST(StateConversion, knows_a_renamed_aggregate_by_its_call) {
  from.fields.add_aggregate(8, "n", "count null", "count()");
  to.fields.add_aggregate(8, "records", "count null", "count()");
  lossless("aggregate n: is now records");
  store(old_field("n"), uint64_t{9});
  UNSIGNED_LONGS_EQUAL(9, load<uint64_t>(field(converted(), "records")));
}

TEST(StateConversion, refuses_another_call_under_the_same_name) {
  from.fields.add_aggregate(8, "n", "count null", "count()");
  to.fields.add_aggregate(8, "n", "count null", "count() if v > 2");
  refused("aggregate n: count() -> count() if v > 2 !");
  to.fields = {};
  to.fields.add_aggregate(9, "n", "count float", "count()");
  refused("aggregate n: count null -> count float !");
}

TEST(StateConversion, takes_over_aggregates_that_see_every_number_as_a_float) {
  from.fields.add_aggregate(8, "a", "avg int", "avg(v)");
  to.fields.add_aggregate(8, "a", "avg float", "avg(v)");
  lossless("aggregate a: int -> float");
  from.fields = to.fields = {};
  from.fields.add_aggregate(8, "a", "percentile int 95 0.01", "percentile(v,95)");
  to.fields.add_aggregate(8, "a", "percentile float 95 0.01", "percentile(v,95)");
  lossless("aggregate a: int -> float");
  to.fields = {};
  to.fields.add_aggregate(8, "a", "percentile float 95 0.02", "percentile(v,95)");
  refused("aggregate a: percentile int 95 0.01 -> percentile float 95 0.02 !");
  from.fields = to.fields = {};
  from.fields.add_aggregate(8, "a", "sum int", "sum(v)");
  to.fields.add_aggregate(8, "a", "sum float", "sum(v)");
  refused("aggregate a: sum int -> sum float !");
  from.fields = to.fields = {};
  from.fields.add_aggregate(8, "a", "avg float", "avg(v)");
  to.fields.add_aggregate(8, "a", "avg int", "avg(v)");
  refused("aggregate a: avg float -> avg int !");
}

TEST(StateConversion, makes_fields_of_a_held_record_null_or_drops_them) {
  Schema before;
  before.add({"device", Type::String, 8});
  before.add({"gone", Type::Int});
  Schema after;
  after.add({"more", Type::Time});
  after.add({"device", Type::String, 12});
  from.fields.add_record("held", before);
  to.fields.add_record("held", after);
  lossless("field more: new, null so far; field device: string(8) -> string(12); field gone: gone");
  ValueCell(Type::String, 8).put(old_field("held"), Value::of_string("pump"));
  const std::vector<uint8_t> bytes = converted();
  CHECK(ValueCell(Type::Time, 0).get(field(bytes, "held")).is_null());
  CHECK(ValueCell(Type::String, 12).get(field(bytes, "held") + 9).as_string() == "pump");
}

TEST(StateConversion, gives_lists_more_room_and_less_where_it_suffices) {
  from.fields.add_u8("count");
  from.fields.add_list("all", 3, "count").add_u16("n");
  to.fields.add_u8("count");
  to.fields.add_list("all", 2, "count").add_u16("n");
  lossless("all: room for 3 -> 2");
  *old_field("count") = 2;
  for (uint16_t index = 0; index < 3; ++index) store(old_field("all") + size_t{2} * index, static_cast<uint16_t>(index + 10));
  UNSIGNED_LONGS_EQUAL(10, load<uint16_t>(field(converted(), "all")));
  UNSIGNED_LONGS_EQUAL(11, load<uint16_t>(field(converted(), "all") + 2));
  *old_field("count") = 3;
  std::vector<uint8_t> none;
  CHECK(convert(none).code() == Code::Incompatible);
  *old_field("count") = 4;
  CHECK(convert(none).code() == Code::Corrupt);
  *old_field("count") = 3;
  to.fields = {};
  to.fields.add_u8("count");
  to.fields.add_list("all", 5, "count").add_u16("n");
  lossless("all: room for 3 -> 5");
  UNSIGNED_LONGS_EQUAL(12, load<uint16_t>(field(converted(), "all") + 4));
  UNSIGNED_LONGS_EQUAL(0, load<uint16_t>(field(converted(), "all") + 6));
}

TEST(StateConversion, does_not_resize_a_list_of_which_all_is_in_use) {
  from.fields.add_list("all", 3).add_u16("n");
  to.fields.add_list("all", 4).add_u16("n");
  refused("all: room for 3 -> 4 !");
}

TEST(StateConversion, keeps_the_newest_of_a_ring) {
  from.fields.add_ring("samples", 4).add_u8("n");
  to.fields.add_ring("samples", 3).add_u8("n");
  lossless("samples: room for 4 -> 3");
  // Four samples, the oldest at place 2: 3 4 1 2.
  store(old_field("oldest"), uint16_t{2});
  store(old_field("count"), uint16_t{4});
  const uint8_t stored[] = {3, 4, 1, 2};
  std::ranges::copy(stored, old_field("samples"));
  std::vector<uint8_t> bytes = converted();
  UNSIGNED_LONGS_EQUAL(0, load<uint16_t>(field(bytes, "oldest")));
  UNSIGNED_LONGS_EQUAL(3, load<uint16_t>(field(bytes, "count")));
  const uint8_t newest[] = {2, 3, 4};
  CHECK(std::equal(std::begin(newest), std::end(newest), field(bytes, "samples")));
  to.fields = {};
  to.fields.add_ring("samples", 6).add_u8("n");
  bytes = converted();
  UNSIGNED_LONGS_EQUAL(4, load<uint16_t>(field(bytes, "count")));
  const uint8_t all[] = {1, 2, 3, 4, 0, 0};
  CHECK(std::equal(std::begin(all), std::end(all), field(bytes, "samples")));
  store(old_field("oldest"), uint16_t{4});
  CHECK(convert(bytes).code() == Code::Corrupt);
}

TEST(StateConversion, looks_into_lists) {
  from.fields.add_u8("count");
  from.fields.add_list("all", 2, "count").add_aggregate(8, "n", "count null", "count()");
  to.fields.add_u8("count");
  StoredFields& each = to.fields.add_list("all", 2, "count");
  each.add_aggregate(1, "first", "x", "y()");
  each.add_aggregate(8, "n", "count null", "count()");
  lossless("aggregate first: new, begins empty");
  *old_field("count") = 2;
  store(old_field("all") + 8, uint64_t{5});
  UNSIGNED_LONGS_EQUAL(5, load<uint64_t>(field(converted(), "all") + 9 + 1));
}

TEST(StateConversion, converts_kept_arguments) {
  from.fields.add_argument("sum", Type::Int, 0, "sum(v)");
  from.fields.add_argument("n", Type::Null, 0, "count()");
  to.fields.add_argument("n", Type::Null, 0, "count()");
  to.fields.add_argument("sum", Type::Float, 0, "sum(v)");
  to.fields.add_argument("least", Type::Float, 0, "min(v)");
  lossless("aggregate sum: int -> float; aggregate least: new, begins empty");
  *old_field("sum") = 1;
  ValueCell(Type::Int, 0).put(old_field("sum") + 1, Value::of_int(8));
  *old_field("n") = 1;
  const std::vector<uint8_t> bytes = converted();
  UNSIGNED_LONGS_EQUAL(1, *field(bytes, "n"));
  UNSIGNED_LONGS_EQUAL(1, *field(bytes, "sum"));
  DOUBLES_EQUAL(8, ValueCell(Type::Float, 0).get(field(bytes, "sum") + 1).as_float(), 0);
  UNSIGNED_LONGS_EQUAL(0, *field(bytes, "least"));
}

TEST(StateConversion, notices_bytes_that_are_no_slot) {
  from.fields.add_u64("n");
  to.fields.add_u64("n");
  std::vector<uint8_t> bytes;
  const std::vector<uint8_t> cut(7);
  CHECK(StateConversion(from, to).convert(cut, bytes).code() == Code::Corrupt);
  const std::vector<uint8_t> no_key(8 + 1, 7);
  CHECK(StateConversion(from, to).convert(no_key, bytes).code() == Code::Corrupt);
}
