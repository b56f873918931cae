#include "connectors/codecs/manifest_codec.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

void set_text(char* to, size_t size, const std::string& text) {
  memset(to, 0, size);
  memcpy(to, text.data(), std::min(size, text.size()));
}

Manifest sample() {
  Manifest manifest;
  manifest.checkpoint_id = 41;
  set_text(manifest.pipeline, sizeof manifest.pipeline, "overheat");
  set_text(manifest.weir_version, sizeof manifest.weir_version, "0.1.0");
  manifest.config_fingerprint = 0xFEDCBA9876543210;
  manifest.reason = CheckpointReason::DirtyBytes;
  manifest.created_wall_ms = 1753950001123;
  manifest.source_offset = 123456;
  manifest.has_watermark = true;
  manifest.watermark_ms = -5;
  manifest.ledger = {17, 5, 1, 1, 2, 1, 7, 3, 4, 6};
  manifest.part_count = 2;
  set_text(manifest.parts[0].uid, name_max, "source");
  manifest.parts[0].op = 1;
  manifest.parts[0].layout = 7;
  manifest.parts[0].checkpoint_id = 41;
  set_text(manifest.parts[1].uid, name_max, "per-minute");
  manifest.parts[1].op = 2;
  manifest.parts[1].layout = UINT64_MAX;
  manifest.parts[1].checkpoint_id = 41;
  manifest.source_count = 2;
  set_text(manifest.sources[0].name, name_max, "one");
  set_text(manifest.sources[1].name, name_max, "two");
  manifest.sources[1].applied = 1;
  manifest.sources[1].filtered = 2;
  manifest.sources[1].late = 3;
  manifest.sources[1].dead_lettered = 4;
  return manifest;
}

/// Every field at its largest.
Manifest largest() {
  Manifest manifest;
  manifest.checkpoint_id = UINT64_MAX;
  set_text(manifest.pipeline, name_max - 1, std::string(name_max - 1, 'p'));
  set_text(manifest.weir_version, sizeof manifest.weir_version - 1, std::string(sizeof manifest.weir_version - 1, 'v'));
  manifest.config_fingerprint = UINT64_MAX;
  manifest.reason = CheckpointReason::Requested;
  manifest.created_wall_ms = INT64_MIN;
  manifest.source_offset = UINT64_MAX;
  manifest.has_watermark = true;
  manifest.watermark_ms = INT64_MIN;
  manifest.ledger = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                     UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
  manifest.part_count = stateful_parts_max;
  for (ManifestPart& part : manifest.parts) {
    set_text(part.uid, name_max - 1, std::string(name_max - 1, 'u'));
    part.op = UINT32_MAX;
    part.layout = part.checkpoint_id = UINT64_MAX;
  }
  manifest.source_count = source_accounts_max;
  for (SourceAccount& source : manifest.sources) {
    set_text(source.name, name_max - 1, std::string(name_max - 1, 's'));
    source.applied = source.filtered = source.late = source.dead_lettered = UINT64_MAX;
  }
  return manifest;
}

}  // namespace

TEST_GROUP(ManifestCodec) {
  NanopbManifestCodec codec;
  uint8_t memory[manifest_bytes_max] = {};
  Manifest decoded;

  std::vector<uint8_t> encode(const Manifest& manifest) {
    ByteWriter out(memory);
    CHECK(codec.encode(manifest, out).ok());
    return {out.bytes().begin(), out.bytes().end()};
  }
  Code decode(const std::vector<uint8_t>& bytes) {
    // A copy of exactly its size, so that a sanitizer sees reads behind it.
    std::vector<uint8_t> exact(bytes);
    exact.shrink_to_fit();
    return codec.decode(exact, decoded).code();
  }
  void same(const Manifest& a, const Manifest& b) {
    CHECK_EQUAL(a.format, b.format);
    CHECK_EQUAL(a.checkpoint_id, b.checkpoint_id);
    STRCMP_EQUAL(a.pipeline, b.pipeline);
    STRCMP_EQUAL(a.weir_version, b.weir_version);
    CHECK_EQUAL(a.config_fingerprint, b.config_fingerprint);
    CHECK(a.reason == b.reason);
    CHECK_EQUAL(a.created_wall_ms, b.created_wall_ms);
    CHECK_EQUAL(a.source_offset, b.source_offset);
    CHECK_EQUAL(a.has_watermark, b.has_watermark);
    CHECK_EQUAL(a.watermark_ms, b.watermark_ms);
    CHECK(a.ledger == b.ledger);
    CHECK_EQUAL(a.part_count, b.part_count);
    for (uint32_t i = 0; i < a.part_count; ++i) {
      STRCMP_EQUAL(a.parts[i].uid, b.parts[i].uid);
      CHECK_EQUAL(a.parts[i].op, b.parts[i].op);
      CHECK_EQUAL(a.parts[i].layout, b.parts[i].layout);
      CHECK_EQUAL(a.parts[i].checkpoint_id, b.parts[i].checkpoint_id);
    }
    CHECK_EQUAL(a.source_count, b.source_count);
    for (uint32_t i = 0; i < a.source_count; ++i) {
      STRCMP_EQUAL(a.sources[i].name, b.sources[i].name);
      CHECK_EQUAL(a.sources[i].applied, b.sources[i].applied);
      CHECK_EQUAL(a.sources[i].filtered, b.sources[i].filtered);
      CHECK_EQUAL(a.sources[i].late, b.sources[i].late);
      CHECK_EQUAL(a.sources[i].dead_lettered, b.sources[i].dead_lettered);
    }
  }
};

TEST(ManifestCodec, every_field_comes_back) {
  CHECK(decode(encode(sample())) == Code::Ok);
  same(sample(), decoded);
}

TEST(ManifestCodec, the_largest_manifest_fits_the_bound_and_comes_back) {
  std::vector<uint8_t> bytes = encode(largest());
  CHECK(bytes.size() <= manifest_bytes_max);
  CHECK(decode(bytes) == Code::Ok);
  same(largest(), decoded);
}

TEST(ManifestCodec, an_empty_manifest_comes_back) {
  decoded = largest();
  CHECK(decode(encode(Manifest{})) == Code::Ok);
  same(Manifest{}, decoded);
}

TEST(ManifestCodec, a_watermark_of_zero_is_not_the_same_as_none) {
  Manifest manifest = sample();
  manifest.watermark_ms = 0;
  CHECK(decode(encode(manifest)) == Code::Ok);
  CHECK(decoded.has_watermark);
  manifest.has_watermark = false;
  CHECK(decode(encode(manifest)) == Code::Ok);
  CHECK_FALSE(decoded.has_watermark);
}

TEST(ManifestCodec, every_reason_comes_back) {
  for (int number = 0; number <= static_cast<int>(CheckpointReason::Requested); ++number) {
    Manifest manifest = sample();
    manifest.reason = static_cast<CheckpointReason>(number);
    CHECK(decode(encode(manifest)) == Code::Ok);
    CHECK(decoded.reason == manifest.reason);
  }
}

TEST(ManifestCodec, encoding_appends_to_what_is_there) {
  ByteWriter out(memory);
  out.put(uint32_t{0xABCD});
  CHECK(codec.encode(sample(), out).ok());
  CHECK(codec.decode(out.bytes().subspan(4), decoded).ok());
}

TEST(ManifestCodec, too_little_room_is_full_and_appends_nothing) {
  size_t size = encode(sample()).size();
  ByteWriter exact(std::span<uint8_t>(memory, size));
  CHECK(codec.encode(sample(), exact).ok());
  ByteWriter small(std::span<uint8_t>(memory, size - 1));
  CHECK(codec.encode(sample(), small).code() == Code::Full);
  UNSIGNED_LONGS_EQUAL(0, small.size());
  CHECK_FALSE(small.overflowed());
}

TEST(ManifestCodec, a_text_without_its_closing_zero_is_cut) {
  Manifest manifest = sample();
  memset(manifest.pipeline, 'p', sizeof manifest.pipeline);
  memset(manifest.parts[1].uid, 'u', sizeof manifest.parts[1].uid);
  CHECK(decode(encode(manifest)) == Code::Ok);
  STRCMP_EQUAL(std::string(name_max - 1, 'p').c_str(), decoded.pipeline);
  STRCMP_EQUAL(std::string(name_max - 1, 'u').c_str(), decoded.parts[1].uid);
}

TEST(ManifestCodec, fields_of_a_newer_version_do_not_disturb) {
  std::vector<uint8_t> bytes = encode(sample());
  std::vector<uint8_t> newer = {0xA2, 0x06, 3, 'n', 'e', 'w'};      // field 100, bytes
  newer.insert(newer.end(), {0xA8, 0x06, 0x96, 0x01});              // field 101, varint
  newer.insert(newer.end(), {0xB1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8});  // field 102, 64 bits
  newer.insert(newer.end(), {0xBD, 0x06, 1, 2, 3, 4});              // field 103, 32 bits
  std::vector<uint8_t> before(newer);
  before.insert(before.end(), bytes.begin(), bytes.end());
  CHECK(decode(before) == Code::Ok);
  same(sample(), decoded);
  bytes.insert(bytes.end(), newer.begin(), newer.end());
  CHECK(decode(bytes) == Code::Ok);
  same(sample(), decoded);
}

TEST(ManifestCodec, fields_of_a_newer_version_survive_being_written_by_this_one) {
  const std::vector<uint8_t> text = {0xA2, 0x06, 3, 'n', 'e', 'w'};  // field 100
  const std::vector<uint8_t> number = {0xA8, 0x06, 0x96, 0x01};      // field 101
  std::vector<uint8_t> bytes(text);
  const std::vector<uint8_t> known = encode(sample());
  bytes.insert(bytes.end(), known.begin(), known.end());
  bytes.insert(bytes.end(), number.begin(), number.end());
  CHECK(decode(bytes) == Code::Ok);
  UNSIGNED_LONGS_EQUAL(text.size() + number.size(), decoded.unknown_bytes);
  Manifest next = sample();
  next.checkpoint_id = 42;
  next.unknown_bytes = decoded.unknown_bytes;
  next.unknown = decoded.unknown;
  const std::vector<uint8_t> written = encode(next);
  std::vector<uint8_t> expected(text);
  expected.insert(expected.end(), number.begin(), number.end());
  CHECK(std::equal(expected.begin(), expected.end(), written.end() - static_cast<ptrdiff_t>(expected.size())));
  CHECK(decode(written) == Code::Ok);
  UNSIGNED_LONGS_EQUAL(42, decoded.checkpoint_id);
  UNSIGNED_LONGS_EQUAL(expected.size(), decoded.unknown_bytes);
}

TEST(ManifestCodec, more_fields_of_a_newer_version_than_fit_are_refused) {
  std::vector<uint8_t> bytes = encode(sample());
  std::vector<uint8_t> longest = {0xA2, 0x06, 0xFC, 0x03};  // field 100, 508 bytes
  longest.insert(longest.end(), 508, 'n');
  bytes.insert(bytes.end(), longest.begin(), longest.end());
  CHECK(decode(bytes) == Code::Ok);
  UNSIGNED_LONGS_EQUAL(Manifest::unknown_max, decoded.unknown_bytes);
  decoded = {};
  bytes.insert(bytes.end(), {0xA8, 0x06, 0x00});
  CHECK(decode(bytes) == Code::Incompatible);
  UNSIGNED_LONGS_EQUAL(0, decoded.unknown_bytes);
}

TEST(ManifestCodec, a_reason_of_a_newer_version_becomes_none) {
  std::vector<uint8_t> bytes = encode(sample());
  bytes.insert(bytes.end(), {0x30, 0xE8, 0x07});  // reason = 1000; the last one counts
  CHECK(decode(bytes) == Code::Ok);
  CHECK(decoded.reason == CheckpointReason::None);
}

TEST(ManifestCodec, a_newer_format_is_incompatible_even_if_it_does_not_fit) {
  Manifest manifest = sample();
  manifest.format = 2;
  std::vector<uint8_t> bytes = encode(manifest);
  CHECK(decode(bytes) == Code::Incompatible);
  std::vector<uint8_t> longer = {0x08, 0x02, 0x1A, 100};  // format 2, a pipeline's name of 100 bytes
  longer.insert(longer.end(), 100, 'n');
  CHECK(decode(longer) == Code::Incompatible);
}

TEST(ManifestCodec, bytes_that_are_no_manifest_are_corrupt) {
  CHECK(decode({}) == Code::Corrupt);
  CHECK(decode({0}) == Code::Corrupt);
  CHECK(decode({0xFF, 0xFF, 0xFF, 0xFF}) == Code::Corrupt);
  CHECK(decode({0x08, 0x01}) == Code::Corrupt);
  CHECK(decode({0x08, 0x00}) == Code::Corrupt);
  CHECK(decode(std::vector<uint8_t>(1000, 0)) == Code::Corrupt);
  CHECK(decode(std::vector<uint8_t>(1000, 0xAA)) == Code::Corrupt);
  CHECK(decode({'{', '"', 'a', '"', ':', '1', '}'}) == Code::Corrupt);
  CHECK(decode({0x08, 0x01, 0x1A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F}) == Code::Corrupt);  // a text of 4 GiB
}

TEST(ManifestCodec, a_manifest_that_was_cut_anywhere_is_corrupt) {
  for (const Manifest& manifest : {Manifest{}, sample(), largest()}) {
    std::vector<uint8_t> bytes = encode(manifest);
    for (size_t length = 0; length < bytes.size(); ++length)
      CHECK(decode({bytes.begin(), bytes.begin() + static_cast<long>(length)}) == Code::Corrupt);
  }
}

TEST(ManifestCodec, more_than_the_fixed_sizes_hold_is_corrupt) {
  std::vector<uint8_t> bytes = encode(largest());
  bytes.insert(bytes.end(), {0x7A, 0x00});  // one more part
  CHECK(decode(bytes) == Code::Corrupt);
  std::vector<uint8_t> name = encode(sample());
  name.insert(name.end(), {0x1A, 64});
  name.insert(name.end(), 64, 'n');
  CHECK(decode(name) == Code::Corrupt);
}

TEST(ManifestCodec, an_error_leaves_the_manifest_as_it_was) {
  decoded = sample();
  CHECK(decode({0x08, 0x01, 0x10}) == Code::Corrupt);
  same(sample(), decoded);
}

TEST(ManifestCodec, random_changes_end_in_a_code_and_closed_texts) {
  const char* from_environment = getenv("WEIR_TEST_SEED");
  unsigned seed = from_environment ? static_cast<unsigned>(strtoul(from_environment, nullptr, 10)) : std::random_device{}();
  printf("[manifest mutations: WEIR_TEST_SEED=%u]\n", seed);
  std::mt19937 random(seed);
  std::vector<uint8_t> original = encode(sample());
  for (int round = 0; round < 50000; ++round) {
    std::vector<uint8_t> bytes = original;
    for (size_t changes = 1 + random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    Code code = decode(bytes);
    CHECK(code == Code::Ok || code == Code::Corrupt || code == Code::Incompatible);
    if (code != Code::Ok) continue;
    CHECK(decoded.part_count <= stateful_parts_max);
    CHECK(memchr(decoded.pipeline, 0, sizeof decoded.pipeline) != nullptr);
    CHECK(memchr(decoded.weir_version, 0, sizeof decoded.weir_version) != nullptr);
    for (uint32_t i = 0; i < decoded.part_count; ++i) CHECK(memchr(decoded.parts[i].uid, 0, name_max) != nullptr);
  }
}
