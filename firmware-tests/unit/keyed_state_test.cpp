#include "agent/operators/keyed_state.h"

#include <memory>
#include <optional>
#include <random>

#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

using Model = std::map<uint32_t, std::vector<uint8_t>>;  // slot -> bytes

/// A state with its store and the memory that a barrier fills.
struct Rig {
  Rig(uint32_t slots, uint32_t slot_bytes) : slots_(slots), slot_bytes_(slot_bytes) { start_anew(); }

  void start_anew() {
    state = nullptr;
    // Not as much as an agent reserves: an emulator keeps tables for all of it, at each of the many places.
    arena = std::make_unique<Arena>(size_t{16} << 20);
    state = std::make_unique<KeyedState>(slots_, slot_bytes_, *arena, "s", "");
  }
  Status restart() {
    start_anew();
    WEIR_TRY(blobs.load([&](const StoredBlob& blob) { return state->restore(blob); }));
    state->restore_finished();
    return {};
  }
  uint32_t put(uint8_t content, uint32_t length = 0) {
    uint32_t slot = state->take(length == 0 ? slot_bytes_ : length);
    std::ranges::fill(state->edit(slot), content);
    return slot;
  }
  SnapshotMemory& barrier() {
    memory = std::make_unique<SnapshotMemory>(state->snapshot_bounds());
    memory->snapshot.begin(++id);
    state->snapshot(memory->snapshot, 7);
    return *memory;
  }
  void decide(bool committed) {
    if (committed) blobs.commit(memory->snapshot);
    state->snapshot_done(id, committed);
  }
  void checkpoint(bool committed = true) {
    barrier();
    decide(committed);
  }
  Model contents() const {
    Model model;
    for (uint32_t slot = 0; slot < state->slots(); ++slot)
      if (state->used(slot)) model[slot].assign(state->read(slot).begin(), state->read(slot).end());
    return model;
  }

  uint32_t slots_, slot_bytes_;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<KeyedState> state;
  MemoryBlobs blobs;
  std::unique_ptr<SnapshotMemory> memory;
  uint64_t id = 0;
};

/// Entries as bytes: (slot, length, fill)…
std::vector<uint8_t> entries(std::vector<std::tuple<uint32_t, uint16_t, uint8_t>> list) {
  std::vector<uint8_t> bytes(KeyedState::blob_bytes_max * 2);
  ByteWriter out(bytes);
  for (auto [slot, length, fill] : list) {
    out.put(slot);
    out.put(length);
    for (int count = 0; count < length; ++count) out.put(fill);
  }
  bytes.resize(out.size());
  return bytes;
}

}  // namespace

TEST_GROUP(KeyedState) {
  Arena arena;
  KeyedState state{10, 4, arena, "s", ""};

  void corrupt(const char* text, BlobKind kind, uint32_t index, uint64_t id, const std::vector<uint8_t>& bytes) {
    Status status = state.restore({kind, index, id, bytes});
    CHECK(status.code() == Code::Corrupt);
    STRCMP_EQUAL(text, status.text());
  }
  void taken(BlobKind kind, uint32_t index, uint64_t id, const std::vector<uint8_t>& bytes) {
    CHECK(state.restore({kind, index, id, bytes}).ok());
  }
};

TEST(KeyedState, a_slot_is_given_out_with_zero_bytes_and_the_length_asked_for) {
  uint32_t slot = state.take(3);
  UNSIGNED_LONGS_EQUAL(0, slot);
  UNSIGNED_LONGS_EQUAL(3, state.read(slot).size());
  std::ranges::fill(state.edit(slot), uint8_t{9});
  state.release(slot);
  slot = state.take(4);
  UNSIGNED_LONGS_EQUAL(0, slot);
  for (uint8_t byte : state.read(slot)) UNSIGNED_LONGS_EQUAL(0, byte);
}

TEST(KeyedState, the_slot_freed_last_is_taken_first) {
  for (uint32_t slot = 0; slot < 4; ++slot) UNSIGNED_LONGS_EQUAL(slot, state.take(1));
  state.release(1);
  state.release(3);
  UNSIGNED_LONGS_EQUAL(3, state.take(1));
  UNSIGNED_LONGS_EQUAL(1, state.take(1));
  UNSIGNED_LONGS_EQUAL(4, state.take(1));
}

TEST(KeyedState, gives_out_all_its_slots_and_then_none) {
  for (uint32_t slot = 0; slot < 10; ++slot) {
    CHECK_FALSE(state.full());
    CHECK(state.take(4) != KeyedState::none);
  }
  CHECK(state.full());
  UNSIGNED_LONGS_EQUAL(KeyedState::none, state.take(4));
  UNSIGNED_LONGS_EQUAL(10, state.live());
}

TEST(KeyedState, nothing_changed_writes_nothing) {
  Rig rig(1000, 100);
  rig.checkpoint();
  UNSIGNED_LONGS_EQUAL(0, rig.memory->snapshot.blobs().size());
  UNSIGNED_LONGS_EQUAL(0, rig.memory->snapshot.trims().size());
  rig.put(1);
  rig.checkpoint();
  rig.checkpoint();
  UNSIGNED_LONGS_EQUAL(0, rig.memory->snapshot.blobs().size());
}

TEST(KeyedState, a_change_is_one_delta_entry_with_its_own_length) {
  Rig rig(2000, 100);
  for (int count = 0; count < 1000; ++count) rig.put(1);
  rig.checkpoint();
  std::ranges::fill(rig.state->edit(5), uint8_t{2});
  rig.state->release(400);
  rig.put(3, 2);  // takes 400 again
  rig.state->release(900);
  rig.checkpoint();
  UNSIGNED_LONGS_EQUAL(1, rig.memory->snapshot.blobs().size());
  const Blob& blob = rig.memory->snapshot.blobs()[0];
  CHECK(blob.kind == BlobKind::Delta);
  UNSIGNED_LONGS_EQUAL(7, blob.op);
  CHECK(std::ranges::equal(blob.bytes, entries({{5, 100, 2}, {400, 2, 3}, {900, 0, 0}})));
}

TEST(KeyedState, more_than_half_of_the_live_slots_changed_rewrites_all_chunks_and_trims_every_delta) {
  Rig rig(2000, 100);  // 309 slots to a chunk
  for (int count = 0; count < 1000; ++count) rig.put(1);
  rig.checkpoint();
  for (uint32_t changed : {500U, 501U}) {
    for (uint32_t slot = 0; slot < changed; ++slot) rig.state->edit(slot)[0] = 9;
    rig.checkpoint();
    size_t deltas = 0, bases = 0;
    for (const Blob& blob : rig.memory->snapshot.blobs()) ++(blob.kind == BlobKind::Delta ? deltas : bases);
    if (changed == 500) {
      // One chunk of 309 fits into what the changes paid for; the others are in deltas.
      UNSIGNED_LONGS_EQUAL(1, deltas);
      UNSIGNED_LONGS_EQUAL(1, bases);
    } else {
      UNSIGNED_LONGS_EQUAL(0, deltas);
      UNSIGNED_LONGS_EQUAL(4, bases);  // the chunks beyond the 1000th slot were never used
      UNSIGNED_LONGS_EQUAL(rig.id, rig.memory->snapshot.trims()[0].up_to_checkpoint);
      CHECK(rig.blobs.deltas.empty());
    }
  }
}

TEST(KeyedState, no_blob_is_longer_than_32_KiB_and_deltas_are_numbered) {
  Rig rig(1000, 300);  // 107 slots to a chunk
  for (int count = 0; count < 1000; ++count) rig.put(1);
  rig.checkpoint();
  for (uint32_t slot = 0; slot < 1000; slot += 2) rig.state->edit(slot)[0] = 9;
  rig.barrier();
  uint32_t next_delta = 0;
  for (const Blob& blob : rig.memory->snapshot.blobs()) {
    CHECK(blob.bytes.size() <= KeyedState::blob_bytes_max);
    if (blob.kind == BlobKind::Delta) UNSIGNED_LONGS_EQUAL(next_delta++, blob.index);
  }
  CHECK(next_delta > 1);
}

TEST(KeyedState, a_delta_that_would_be_a_few_bytes_too_long_is_cut) {
  Rig rig(100, 3315);  // ten entries are 33210 bytes
  for (int count = 0; count < 100; ++count) rig.put(1);
  rig.checkpoint();
  for (uint32_t slot = 50; slot < 90; ++slot) rig.state->edit(slot)[0] = 9;
  rig.barrier();
  size_t longest_delta = 0;
  for (const Blob& blob : rig.memory->snapshot.blobs())
    if (blob.kind == BlobKind::Delta) longest_delta = std::max(longest_delta, blob.bytes.size());
  UNSIGNED_LONGS_EQUAL(9 * 3321, longest_delta);
}

TEST(KeyedState, a_slot_may_fill_a_whole_blob) {
  Rig rig(3, KeyedState::slot_bytes_max);
  for (uint8_t content = 1; content <= 3; ++content) rig.put(content);
  rig.checkpoint();
  Model before = rig.contents();
  CHECK(rig.restart().ok());
  CHECK(rig.contents() == before);
}

TEST(KeyedState, small_changes_save_up_until_they_pay_for_a_chunk) {
  Rig rig(309 * 3, 100);
  for (int count = 0; count < 309 * 3; ++count) rig.put(1);
  rig.checkpoint();
  size_t rewritten = 0;
  uint64_t checkpoints = 0;
  for (; rewritten < 3; ++checkpoints) {
    rig.state->edit(static_cast<uint32_t>(checkpoints % 900))[0] = 5;
    rig.checkpoint();
    for (const Blob& blob : rig.memory->snapshot.blobs()) rewritten += blob.kind == BlobKind::Base;
    CHECK(rig.blobs.deltas.size() <= 2 * 309 * 3);
  }
  // A change of 106 bytes each; three chunks of 309 x 106 bytes.
  UNSIGNED_LONGS_EQUAL((309 * 3 * 100 + KeyedState::rewrite_percent - 1) / KeyedState::rewrite_percent, checkpoints);
  // After every chunk had its turn the deltas before the first turn are gone.
  CHECK(rig.blobs.deltas.size() <= 2 * 309 * 100 / KeyedState::rewrite_percent + 1);
}

TEST(KeyedState, a_chunk_without_a_used_slot_names_its_first_as_free) {
  Rig rig(10, 4);
  rig.put(1);
  rig.checkpoint();
  rig.state->release(0);
  // The changes of a few checkpoints pay for the chunk.
  for (int count = 0; count < 3; ++count) {
    rig.state->release(rig.put(3));
    rig.checkpoint();
  }
  CHECK(std::ranges::equal(rig.blobs.base.at(0).second, entries({{0, 0, 0}})));
  CHECK(rig.restart().ok());
  CHECK(rig.contents().empty());
}

TEST(KeyedState, a_failed_checkpoint_is_covered_by_the_next) {
  Rig rig(2000, 100);
  for (int count = 0; count < 1000; ++count) rig.put(1);
  rig.checkpoint();
  rig.state->edit(3)[0] = 7;
  rig.barrier();
  rig.state->edit(4)[0] = 8;
  rig.decide(false);
  rig.checkpoint();
  Model before = rig.contents();
  CHECK(rig.restart().ok());
  CHECK(rig.contents() == before);
}

TEST(KeyedState, a_failed_checkpoint_does_not_cost_a_chunk_its_turn) {
  Rig rig(309 * 3, 100);
  for (int count = 0; count < 309 * 3; ++count) rig.put(1);
  rig.checkpoint();
  auto chunks_of_next = [&](bool committed) {
    for (uint32_t slot = 0; slot < 400; ++slot) rig.state->edit(slot)[0] = 2;
    rig.checkpoint(committed);
    std::vector<uint32_t> chunks;
    for (const Blob& blob : rig.memory->snapshot.blobs())
      if (blob.kind == BlobKind::Base) chunks.push_back(blob.index);
    return chunks;
  };
  CHECK(chunks_of_next(false) == std::vector<uint32_t>({0}));
  CHECK(chunks_of_next(true) == std::vector<uint32_t>({0}));
  CHECK(chunks_of_next(true) == std::vector<uint32_t>({1}));
}

TEST(KeyedState, what_changes_after_the_barrier_belongs_to_the_next_checkpoint) {
  Rig rig(2000, 100);
  for (int count = 0; count < 1000; ++count) rig.put(1);
  rig.checkpoint();
  rig.state->edit(3)[0] = 7;
  Model at_barrier = rig.contents();
  rig.barrier();
  rig.state->edit(3)[0] = 8;
  rig.decide(true);
  Model after = rig.contents();
  rig.checkpoint();
  MemoryBlobs complete = rig.blobs;
  CHECK(rig.restart().ok());
  CHECK(rig.contents() == after);
  CHECK(at_barrier != after);
}

TEST(KeyedState, a_restarted_state_goes_on_with_the_chunk_rewritten_longest_ago) {
  Rig rig(309 * 3, 100);
  for (int count = 0; count < 309 * 3; ++count) rig.put(1);
  rig.checkpoint();
  // Every process lives for one chunk's turn only; still no chunk is passed over.
  for (int life = 0; life < 7; ++life) {
    CHECK(rig.restart().ok());
    for (uint32_t slot = 0; slot < 400; ++slot) rig.state->edit(slot + 300)[0] = static_cast<uint8_t>(life);
    rig.checkpoint();
  }
  uint64_t oldest = rig.id;
  for (const auto& [index, chunk] : rig.blobs.base) oldest = std::min(oldest, chunk.first);
  CHECK(oldest + 3 > rig.id);
}

// ---- against a model

namespace {

/// Random operations, barriers, failures and restarts; the state must always be what the last committed barrier saw.
void run_against_model(unsigned seed, uint32_t slots, uint32_t slot_bytes, uint32_t changes_max) {
  std::mt19937 random(seed);
  auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  Rig rig(slots, slot_bytes);
  Model model;
  Model committed;
  const uint32_t chunks = static_cast<uint32_t>(rig.state->snapshot_bounds().blobs);
  for (int round = 0; round < 150; ++round) {
    auto change = [&] {
      for (uint32_t count = below(changes_max + 1); count > 0; --count) {
        const uint32_t choice = below(5);
        if (choice == 0 || model.empty()) {
          const uint32_t length = 1 + below(slot_bytes);
          const uint32_t slot = rig.state->take(length);
          if (slot == KeyedState::none) continue;
          CHECK(!model.contains(slot));
          model[slot].assign(length, 0);
        } else {
          auto at = model.lower_bound(below(slots));
          if (at == model.end()) at = model.begin();
          if (choice == 1) {
            rig.state->release(at->first);
            model.erase(at);
          } else {
            const auto fill = static_cast<uint8_t>(below(256));
            rig.state->edit(at->first).back() = fill;
            at->second.back() = fill;
          }
        }
      }
    };
    change();
    const Model at_barrier = model;
    rig.barrier();
    change();  // while the checkpoint is in flight
    const bool success = below(4) != 0;
    if (success) {
      rig.blobs.commit(rig.memory->snapshot);
      committed = at_barrier;
    }
    const bool dies_before_it_hears = below(10) == 0;
    if (!dies_before_it_hears) rig.state->snapshot_done(rig.id, success);
    if (dies_before_it_hears || below(10) == 0) {
      CHECK(rig.restart().ok());
      model = committed;
      if (rig.contents() != committed) FAIL("a restart does not bring back the last committed checkpoint");
      UNSIGNED_LONGS_EQUAL(model.size(), rig.state->live());
    }
    // Restores elsewhere, at every point, must come to the same.
    Rig other(slots, slot_bytes);
    other.blobs = rig.blobs;
    CHECK(other.restart().ok());
    if (other.contents() != committed) FAIL("the stored blobs are not the last committed checkpoint");
    if (rig.contents() != model) FAIL("the state in memory went wrong");
    size_t stored = 0;
    for (const auto& [key, bytes] : rig.blobs.deltas) stored += bytes.size();
    // A bound on what piles up: twice the state, and the chunks' own slack.
    CHECK(stored <= 2 * (rig.state->snapshot_bounds().bytes + size_t{chunks} * KeyedState::blob_bytes_max));
  }
}

}  // namespace

TEST(KeyedState, agrees_with_a_map_over_random_operations_failures_and_restarts) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    printf("seed=%u ", seed);
    run_against_model(seed, 5, 20, 4);       // one chunk
    run_against_model(seed, 100, 3000, 10);  // ten slots to a chunk
    run_against_model(seed, 64, 16000, 3);   // two slots to a chunk, few changes
    run_against_model(seed, 30, 2000, 60);   // most of it changes each time
    run_against_model(seed, 2, 32762, 2);    // a slot is a chunk
  }
}

// ---- malformed blobs

TEST(KeyedState, takes_well_formed_blobs) {
  taken(BlobKind::Base, 0, 3, entries({{0, 4, 1}, {1, 0, 0}, {9, 2, 1}}));
  taken(BlobKind::Delta, 0, 2, entries({{0, 4, 9}}));  // older than the chunk: nothing
  taken(BlobKind::Delta, 0, 3, entries({{0, 4, 9}}));  // as old as the chunk: nothing
  taken(BlobKind::Delta, 0, 4, entries({{1, 4, 5}}));
  taken(BlobKind::Delta, 1, 4, entries({{2, 4, 5}, {9, 0, 0}}));
  state.restore_finished();
  UNSIGNED_LONGS_EQUAL(3, state.live());
  UNSIGNED_LONGS_EQUAL(1, state.read(0)[0]);
  UNSIGNED_LONGS_EQUAL(5, state.read(1)[0]);
  CHECK_FALSE(state.used(9));
}

TEST(KeyedState, refuses_a_slot_out_of_range) {
  corrupt("keyed state: a slot is out of range or out of order", BlobKind::Delta, 0, 1, entries({{10, 4, 1}}));
}

TEST(KeyedState, refuses_a_slot_outside_of_its_chunk) {
  KeyedState two_chunks(3, 16000, arena, "t", "");
  const std::vector<uint8_t> bytes = entries({{0, 4, 1}});
  CHECK(two_chunks.restore({BlobKind::Base, 1, 1, bytes}).code() == Code::Corrupt);
}

TEST(KeyedState, refuses_slots_out_of_order_or_twice) {
  const char* text = "keyed state: a slot is out of range or out of order";
  corrupt(text, BlobKind::Base, 0, 1, entries({{3, 4, 1}, {2, 4, 1}}));
}

TEST(KeyedState, refuses_a_slot_twice_across_the_deltas_of_a_checkpoint) {
  taken(BlobKind::Delta, 0, 1, entries({{3, 4, 1}}));
  corrupt("keyed state: a slot is out of range or out of order", BlobKind::Delta, 1, 1, entries({{3, 4, 1}}));
}

TEST(KeyedState, refuses_an_entry_longer_than_a_slot) {
  corrupt("keyed state: an entry is longer than a slot", BlobKind::Delta, 0, 1, entries({{3, 5, 1}}));
}

TEST(KeyedState, refuses_a_blob_cut_anywhere) {
  std::vector<uint8_t> whole = entries({{3, 4, 1}});
  for (size_t size = 1; size < whole.size(); ++size)
    corrupt("keyed state: a blob ends inside an entry", BlobKind::Delta, 0, size,
            {whole.begin(), whole.begin() + static_cast<long>(size)});
}

TEST(KeyedState, refuses_an_empty_blob_and_one_that_is_too_long) {
  corrupt("keyed state: an empty blob", BlobKind::Delta, 0, 1, {});
  corrupt("keyed state: a blob is too long", BlobKind::Delta, 0, 2, std::vector<uint8_t>(KeyedState::blob_bytes_max + 1));
}

TEST(KeyedState, refuses_a_chunk_that_does_not_exist_or_comes_out_of_order) {
  corrupt("keyed state: a base chunk that does not exist", BlobKind::Base, 1, 1, entries({{3, 4, 1}}));
  taken(BlobKind::Base, 0, 1, entries({{3, 4, 1}}));
  corrupt("keyed state: base chunks are out of order", BlobKind::Base, 0, 1, entries({{3, 4, 1}}));
  taken(BlobKind::Delta, 0, 1, entries({{3, 4, 1}}));
  corrupt("keyed state: a base chunk after a delta", BlobKind::Base, 0, 1, entries({{3, 4, 1}}));
}

TEST(KeyedState, refuses_deltas_that_are_missing_or_out_of_order) {
  const char* text = "keyed state: deltas are missing or out of order";
  corrupt(text, BlobKind::Delta, 1, 5, entries({{3, 4, 1}}));
  taken(BlobKind::Delta, 0, 5, entries({{3, 4, 1}}));
  corrupt(text, BlobKind::Delta, 2, 5, entries({{4, 4, 1}}));
  corrupt(text, BlobKind::Delta, 0, 5, entries({{4, 4, 1}}));
  corrupt(text, BlobKind::Delta, 0, 4, entries({{4, 4, 1}}));
}

TEST(KeyedState, refuses_blobs_without_a_checkpoint_or_of_another_kind) {
  corrupt("keyed state: a chunk without a checkpoint", BlobKind::Base, 0, 0, entries({{3, 4, 1}}));
  corrupt("keyed state: a delta without a checkpoint", BlobKind::Delta, 0, UINT64_MAX, entries({{3, 4, 1}}));
  corrupt("keyed state: a blob of a kind that it does not write", BlobKind::Outbox, 0, 1, entries({{3, 4, 1}}));
}
