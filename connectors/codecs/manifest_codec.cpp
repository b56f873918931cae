#include "connectors/codecs/manifest_codec.h"

#include <manifest.pb.h>
#include <pb_common.h>
#include <pb_decode.h>
#include <pb_encode.h>

#include <cstring>

namespace weir {
namespace {

constexpr uint32_t format_known = 1;

static_assert(weir_v1_Manifest_size + Manifest::unknown_max <= manifest_bytes_max);
static_assert(sizeof(weir_v1_Manifest::pipeline) == sizeof(Manifest::pipeline));
static_assert(sizeof(weir_v1_Manifest::weir_version) == sizeof(Manifest::weir_version));
static_assert(sizeof(weir_v1_Part::uid) == sizeof(ManifestPart::uid));
static_assert(sizeof(weir_v1_Manifest::sources) / sizeof(weir_v1_Source) == source_accounts_max);
static_assert(sizeof(weir_v1_Manifest::parts) / sizeof(weir_v1_Part) == stateful_parts_max);
static_assert(static_cast<int>(last_checkpoint_reason) == weir_v1_Reason_JOURNAL_FULL);

template <size_t size>
void copy_text(char (&to)[size], const char (&from)[size]) {
  memcpy(to, from, size);
  to[size - 1] = '\0';
}

weir_v1_Ledger to_message(const Ledger& ledger) {
  weir_v1_Ledger message = weir_v1_Ledger_init_zero;
  message.received = ledger.received;
  message.applied = ledger.applied;
  message.filtered = ledger.filtered;
  message.late = ledger.late;
  message.dead_lettered = ledger.dead_lettered;
  message.duplicate = ledger.duplicate;
  message.results = ledger.results;
  message.evicted = ledger.evicted;
  message.session_lost = ledger.session_lost;
  message.shed = ledger.shed;
  return message;
}

Ledger from_message(const weir_v1_Ledger& message) {
  Ledger ledger;
  ledger.received = message.received;
  ledger.applied = message.applied;
  ledger.filtered = message.filtered;
  ledger.late = message.late;
  ledger.dead_lettered = message.dead_lettered;
  ledger.duplicate = message.duplicate;
  ledger.results = message.results;
  ledger.evicted = message.evicted;
  ledger.session_lost = message.session_lost;
  ledger.shed = message.shed;
  return ledger;
}

/// A newer version may have stored a number that the enumeration does not have; reading it as one would be undefined.
CheckpointReason known_reason(const weir_v1_Reason& stored) {
  uint32_t number = 0;
  static_assert(sizeof number == sizeof stored);
  memcpy(&number, &stored, sizeof number);
  return number <= static_cast<uint32_t>(last_checkpoint_reason) ? static_cast<CheckpointReason>(number)
                                                                 : CheckpointReason::None;
}

void to_message(const Manifest& manifest, weir_v1_Manifest& message) {
  message.format = manifest.format;
  message.checkpoint_id = manifest.checkpoint_id;
  copy_text(message.pipeline, manifest.pipeline);
  copy_text(message.weir_version, manifest.weir_version);
  message.config_fingerprint = manifest.config_fingerprint;
  message.reason = static_cast<weir_v1_Reason>(manifest.reason);
  message.created_wall_ms = manifest.created_wall_ms;
  message.source_offset = manifest.source_offset;
  message.has_watermark_ms = manifest.has_watermark;
  message.watermark_ms = manifest.watermark_ms;
  message.has_ledger = true;
  message.ledger = to_message(manifest.ledger);
  message.has_part_count = true;
  message.part_count = manifest.part_count;
  message.parts_count = static_cast<pb_size_t>(manifest.part_count);
  for (uint32_t index = 0; index < manifest.part_count; ++index) {
    const ManifestPart& part = manifest.parts[index];
    copy_text(message.parts[index].uid, part.uid);
    message.parts[index].op = part.op;
    message.parts[index].layout = part.layout;
    message.parts[index].checkpoint_id = part.checkpoint_id;
  }
  message.source_count = manifest.source_count;
  message.sources_count = static_cast<pb_size_t>(manifest.source_count);
  for (uint32_t index = 0; index < manifest.source_count; ++index) {
    const SourceAccount& account = manifest.sources[index];
    weir_v1_Source& to = message.sources[index];
    copy_text(to.name, account.name);
    to.applied = account.applied;
    to.filtered = account.filtered;
    to.late = account.late;
    to.dead_lettered = account.dead_lettered;
  }
}

void from_message(const weir_v1_Manifest& message, Manifest& manifest) {
  manifest = Manifest{};
  manifest.format = message.format;
  manifest.checkpoint_id = message.checkpoint_id;
  copy_text(manifest.pipeline, message.pipeline);
  copy_text(manifest.weir_version, message.weir_version);
  manifest.config_fingerprint = message.config_fingerprint;
  manifest.reason = known_reason(message.reason);
  manifest.created_wall_ms = message.created_wall_ms;
  manifest.source_offset = message.source_offset;
  manifest.has_watermark = message.has_watermark_ms;
  manifest.watermark_ms = message.has_watermark_ms ? message.watermark_ms : 0;
  manifest.ledger = from_message(message.ledger);
  manifest.part_count = message.part_count;
  for (uint32_t index = 0; index < message.part_count; ++index) {
    ManifestPart& part = manifest.parts[index];
    copy_text(part.uid, message.parts[index].uid);
    part.op = message.parts[index].op;
    part.layout = message.parts[index].layout;
    part.checkpoint_id = message.parts[index].checkpoint_id;
  }
  manifest.source_count = message.sources_count;
  for (uint32_t index = 0; index < manifest.source_count; ++index) {
    const weir_v1_Source& from = message.sources[index];
    SourceAccount& account = manifest.sources[index];
    copy_text(account.name, from.name);
    account.applied = from.applied;
    account.filtered = from.filtered;
    account.late = from.late;
    account.dead_lettered = from.dead_lettered;
  }
}

/// Keeps the fields that this version does not know, one behind the other.
Status keep_unknown(Bytes bytes, Manifest& manifest) {
  weir_v1_Manifest message = weir_v1_Manifest_init_zero;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  ByteWriter kept(manifest.unknown);
  for (;;) {
    const size_t begin = bytes.size() - stream.bytes_left;
    pb_wire_type_t type{};
    uint32_t tag = 0;
    bool at_end = false;
    if (!pb_decode_tag(&stream, &type, &tag, &at_end) || !pb_skip_field(&stream, type)) break;
    pb_field_iter_t known{};
    if (pb_field_iter_begin(&known, weir_v1_Manifest_fields, &message) && pb_field_iter_find(&known, tag)) continue;
    kept.put_bytes(bytes.subspan(begin, bytes.size() - stream.bytes_left - begin));
  }
  if (kept.overflowed()) return {Code::Incompatible, "the checkpoint has more fields of a newer weir than can be kept"};
  manifest.unknown_bytes = static_cast<uint32_t>(kept.size());
  return {};
}

}  // namespace

Status NanopbManifestCodec::encode(const Manifest& manifest, ByteWriter& out) {
  WEIR_ASSERT(manifest.part_count <= stateful_parts_max && manifest.source_count <= source_accounts_max);
  weir_v1_Manifest message = weir_v1_Manifest_init_zero;
  to_message(manifest, message);
  size_t size = 0;
  if (!pb_get_encoded_size(&size, weir_v1_Manifest_fields, &message))
    return {Code::InvalidArgument, "the manifest cannot be encoded"};
  if (size + manifest.unknown_bytes > out.room()) return {Code::Full, "no room for the manifest"};
  pb_ostream_t stream = pb_ostream_from_buffer(out.claim(size), size);
  if (!pb_encode(&stream, weir_v1_Manifest_fields, &message)) return {Code::InvalidArgument, "the manifest cannot be encoded"};
  out.put_bytes(Bytes(manifest.unknown).first(manifest.unknown_bytes));
  return {};
}

Status NanopbManifestCodec::decode(Bytes bytes, Manifest& manifest) {
  weir_v1_Manifest message = weir_v1_Manifest_init_zero;
  pb_istream_t stream = pb_istream_from_buffer(bytes.data(), bytes.size());
  bool decoded = pb_decode(&stream, weir_v1_Manifest_fields, &message);
  // A newer format may well be one whose texts or counts do not fit here: its number comes first and says so.
  if (message.format > format_known) return {Code::Incompatible, "the checkpoint was written by a newer weir"};
  if (!decoded) return {Code::Corrupt, "the manifest is malformed"};
  if (message.format == 0) return {Code::Corrupt, "the manifest has no format"};
  if (!message.has_ledger || !message.has_part_count || message.part_count != message.parts_count ||
      message.source_count != message.sources_count)
    return {Code::Corrupt, "the manifest is cut short"};
  Manifest read;
  from_message(message, read);
  WEIR_TRY(keep_unknown(bytes, read));
  manifest = read;
  return {};
}

}  // namespace weir
