#include "agent/base/key_table.h"

#include <cstdio>
#include <map>
#include <random>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {
constexpr auto yes = [](uint32_t) { return true; };
constexpr auto no = [](uint32_t) { return false; };
}  // namespace

TEST_GROUP(KeyTable) { Arena arena; };

TEST(KeyTable, finds_what_was_inserted_and_nothing_else) {
  KeyTable table(4, arena, "t");
  table.insert(100, 3);
  UNSIGNED_LONGS_EQUAL(3, table.find(100, yes));
  UNSIGNED_LONGS_EQUAL(KeyTable::none, table.find(101, yes));
  UNSIGNED_LONGS_EQUAL(1, table.size());
}

TEST(KeyTable, asks_the_owner_before_it_believes_a_hash) {
  KeyTable table(4, arena, "t");
  table.insert(100, 1);
  table.insert(100, 2);
  UNSIGNED_LONGS_EQUAL(2, table.find(100, [](uint32_t place) { return place == 2; }));
  UNSIGNED_LONGS_EQUAL(KeyTable::none, table.find(100, no));
}

TEST(KeyTable, holds_as_many_keys_as_it_was_made_for) {
  for (uint32_t keys_max : {1U, 2U, 3U, 5U, 1000U}) {
    KeyTable table(keys_max, arena, "t");
    for (uint32_t key = 0; key < keys_max; ++key) table.insert(0, key);  // the worst hash there is
    for (uint32_t key = 0; key < keys_max; ++key)
      UNSIGNED_LONGS_EQUAL(key, table.find(0, [&](uint32_t place) { return place == key; }));
    UNSIGNED_LONGS_EQUAL(KeyTable::none, table.find(1, yes));
  }
}

TEST(KeyTable, erasing_leaves_every_other_key_findable) {
  // Hashes that collide, wrap around the end of the table and sit behind each other.
  KeyTable table(6, arena, "t");  // 16 entries
  const uint64_t hashes[] = {15, 31, 14, 15, 0, 1};
  for (uint32_t gone = 0; gone < 6; ++gone) {
    for (uint32_t key = 0; key < 6; ++key) table.insert(hashes[key], key);
    table.erase(hashes[gone], gone);
    for (uint32_t key = 0; key < 6; ++key) {
      uint32_t found = table.find(hashes[key], [&](uint32_t place) { return place == key; });
      UNSIGNED_LONGS_EQUAL(key == gone ? KeyTable::none : key, found);
      if (key != gone) table.erase(hashes[key], key);
      // Erased ones must not come back for the next lookups of this round.
      if (key != gone) table.insert(hashes[key], key);
    }
    for (uint32_t key = 0; key < 6; ++key)
      if (key != gone) table.erase(hashes[key], key);
    UNSIGNED_LONGS_EQUAL(0, table.size());
  }
}

TEST(KeyTable, agrees_with_a_map_over_random_operations) {
  const unsigned seed = 20240611;
  printf("seed=%u ", seed);
  std::mt19937 random(seed);
  auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  constexpr uint32_t keys_max = 40;
  KeyTable table(keys_max, arena, "t");
  std::map<uint32_t, uint64_t> model;  // place -> hash
  for (int step = 0; step < 50000; ++step) {
    uint32_t place = below(keys_max);
    auto known = model.find(place);
    if (known == model.end()) {
      uint64_t hash = below(50) + (uint64_t{below(3)} << 32);  // crowded on purpose
      table.insert(hash, place);
      model[place] = hash;
    } else if (below(2) == 0) {
      table.erase(known->second, place);
      model.erase(known);
    }
    UNSIGNED_LONGS_EQUAL(model.size(), table.size());
    for (const auto& [at, hash] : model)
      if (table.find(hash, [&, wanted = at](uint32_t asked) { return asked == wanted; }) != at) FAIL("a key was lost");
    uint32_t gone = below(keys_max);
    if (!model.contains(gone))
      for (uint64_t hash = 0; hash < 50; ++hash)
        if (table.find(hash, [&](uint32_t asked) { return asked == gone; }) != KeyTable::none) FAIL("an erased key is found");
  }
}
