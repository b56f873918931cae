#include "storage/checkpoint_store.h"

#include <algorithm>

#include "agent/base/crash_point.h"
#include "storage/files.h"
#include "storage/row_key.h"
#include "storage/schema.h"

namespace weir {
namespace {

constexpr uint64_t wal_header_bytes = 32;
constexpr uint64_t wal_frame_bytes = 4096 + 24;
// Pages that a transaction touches besides those that its blobs fill: inner pages of the trees, lists of free pages, and
// the frames that fill up a sector.
constexpr uint64_t wal_frames_slack = 64;

// Connection, tables, statements, 64 pages of cache (measured: 440 KiB), and as much again as half of that.
constexpr uint64_t memory_bytes_fixed = 640 << 10;
// The index of the WAL, in the heap because the database is opened in exclusive mode.
constexpr uint64_t wal_index_frames = 4096;
constexpr uint64_t wal_index_bytes = 32 << 10;

std::string database_path(const std::string& state_dir) { return state_dir + "/weir.db"; }

DatabaseSettings settings_of(const StoreOptions& options) {
  const bool single_file = !options.savepoint.empty();
  return {single_file ? options.savepoint : database_path(options.state_dir),
          options.open_existing,
          single_file,
          options.durability,
          options.database_bytes_max,
          state_application_id,
          state_format};
}

}  // namespace

StoreOptions reading_options(const std::string& path) {
  StoreOptions options;
  (is_regular_file(path) ? options.savepoint : options.state_dir) = path;
  options.open_existing = true;
  return options;
}

uint64_t SqliteCheckpointStore::wal_bytes(const StoreOptions& options) {
  const uint64_t transaction_frames = options.transaction_bytes_max / 4096 + 1 + wal_frames_slack;
  return wal_header_bytes + (options.wal_frames_max + transaction_frames) * wal_frame_bytes;
}

uint64_t SqliteCheckpointStore::memory_bytes(const StoreOptions& options) {
  const uint64_t wal_frames = wal_bytes(options) / wal_frame_bytes;
  // A blob is put together in one piece, and may meet a block that crumbles.
  return memory_bytes_fixed + (wal_frames / wal_index_frames + 1) * wal_index_bytes + 2 * options.blob_bytes_max;
}

Status SqliteCheckpointStore::open(const StoreOptions& options) {
  WEIR_ASSERT(!database_.is_open());
  read_only_ = options.open_existing;
  state_dir_ = options.state_dir;
  fresh_if_corrupt_ = options.fresh_if_corrupt;
  wal_frames_max_ = options.wal_frames_max;
  if (!options.savepoint.empty()) return open_savepoint(options);
  if (read_only_ && !file_exists(database_path(options.state_dir))) return {Code::NotFound, "there is no database"};
  if (!read_only_) WEIR_TRY(make_directory(options.state_dir));
  WEIR_TRY(lock_.acquire(options.state_dir));
  // Without it nothing is lost but a witness, so that it cannot be had stops nobody.
  const Status noted = newest_.open(options.state_dir, read_only_);
  Status status = open_database(options);
  // Closing would sync again what has just failed.
  if (!status.ok() && database_.is_open()) database_.leave_wal_at_close();
  // Callers read the detail of Busy as a pid, and SQLite does not know whose lock it met.
  if (status.code() == Code::Busy) return {Code::Busy, status.text()};
  WEIR_TRY(status);
  if (!read_only_ && space_reserved_.ok() && noted.code() == Code::Full) space_reserved_ = noted;
  return prepare();
}

Status SqliteCheckpointStore::open_savepoint(const StoreOptions& options) {
  if (!read_only_ && file_exists(options.savepoint)) return {Code::InvalidArgument, "the file is there already"};
  WEIR_TRY(database_.open(settings_of(options)));
  if (!read_only_) WEIR_TRY(create_schema(database_));
  return prepare();
}

Status SqliteCheckpointStore::open_database(const StoreOptions& options) {
  // Before SQLite makes a file of that name.
  const bool may_begin = options.fresh_if_corrupt || !newest_.any();
  constexpr Status gone = {Code::Corrupt, "weir.db is gone or empty, though weir.newest knows of checkpoints in it"};
  if (!may_begin && !Database::exists(database_path(options.state_dir))) return gone;
  WEIR_TRY(database_.open(settings_of(options)));
  if (read_only_) return {};
  WEIR_TRY(check_suspect());
  if (database_.fresh() && !may_begin) return gone;
  if (database_.fresh()) WEIR_TRY(create_schema(database_));
  // What a crash left in the WAL goes into the database before anything is appended: on a disk that damages whole sectors
  // the first new frame could take the last old commit with it.
  Status moved = database_.checkpoint_wal();
  if (!moved.ok() && moved.code() != Code::Full) return moved;
  space_reserved_ = reserve_space(options);
  if (!space_reserved_.ok() && space_reserved_.code() != Code::Full) return space_reserved_;
  return sync_directory(options.state_dir);
}

/// Damage that only writing meets, in a list of free pages for instance, is not seen by loading: without this look a process
/// that writing has ended would be started again for ever.
Status SqliteCheckpointStore::check_suspect() {
  if (!newest_.database_is_suspect()) return {};
  if (!database_.fresh()) WEIR_TRY(database_.check_structure(StructureCheck::WithIndexes));
  newest_.set_database_suspect(false);
  return {};
}

Status SqliteCheckpointStore::reserve_space(const StoreOptions& options) {
  Status database = reserve_database_space(database_, options.database_bytes);
  if (!database.ok() && database.code() != Code::Full) return database;
  Status wal = database_.reserve_wal(wal_bytes(options));
  if (!wal.ok() && wal.code() != Code::Full) return wal;
  return wal.ok() ? database : wal;
}

Status SqliteCheckpointStore::prepare() {
  WEIR_TRY(transactions_.prepare(database_));
  WEIR_TRY(meta_.prepare(database_));
  WEIR_TRY(registry_.prepare(database_));
  WEIR_TRY(layouts_.prepare(database_));
  WEIR_TRY(kept_.prepare(database_));
  WEIR_TRY(checkpoints_.prepare(database_));
  WEIR_TRY(states_.prepare(database_));
  WEIR_TRY(chunks_.prepare(database_));
  for (BlobTable& blobs : blobs_) WEIR_TRY(blobs.prepare(database_));
  WEIR_TRY(dead_letters_.prepare(database_, read_only_));
  Result<uint64_t> instance = meta_.instance();
  if (!instance.ok()) return instance.status();
  instance_ = instance.value();
  return {};
}

SqliteCheckpointStore::OpenPipeline* SqliteCheckpointStore::find_pipeline(uint32_t pipeline) {
  auto found = std::ranges::find(pipelines_, pipeline, &OpenPipeline::pipeline);
  return found == pipelines_.end() ? nullptr : &*found;
}

SqliteCheckpointStore::Part* SqliteCheckpointStore::find_part(uint32_t op) {
  auto found = std::ranges::find(parts_, op, &Part::op);
  return found == parts_.end() ? nullptr : &*found;
}

Status SqliteCheckpointStore::fail(Status status) {
  if (status.code() != Code::Io && status.code() != Code::Corrupt) return status;
  // A sync that failed once says nothing when it is tried again: the kernel may have dropped what it could not write.
  broken_ = status;
  if (status.code() == Code::Corrupt) newest_.set_database_suspect(true);
  database_.leave_wal_at_close();
  return status;
}

Status SqliteCheckpointStore::change(FunctionRef<Status()> body) {
  WEIR_TRY(broken_);
  if (read_only_) return {Code::InvalidArgument, "the state was opened for reading"};
  return fail(transactions_.run(body));
}

Status SqliteCheckpointStore::add_missing_pipeline(std::string_view name) {
  return change([&] { return registry_.add_pipeline(name); });
}

Result<PipelineRow> SqliteCheckpointStore::open_pipeline(std::string_view name, PipelineLimits limits) {
  WEIR_ASSERT(limits.checkpoints_retained >= 1 && limits.checkpoints_retained <= checkpoints_retained_max);
  Result<RegisteredPipeline> row = registry_.find_pipeline(name);
  if (row.status().code() == Code::NotFound && !read_only_) {
    if (Status status = add_missing_pipeline(name); !status.ok()) return status;
    row = registry_.find_pipeline(name);
  }
  if (!row.ok()) return row.status();
  OpenPipeline* pipeline = find_pipeline(row.value().pipeline);
  if (pipeline == nullptr) {
    OpenPipeline opened;
    opened.pipeline = row.value().pipeline;
    opened.name = name;
    opened.limits = limits;
    if (Status status = read_counters(opened, row.value()); !status.ok()) return status;
    pipeline = &pipelines_.emplace_back(std::move(opened));
  }
  if (!read_only_) pipeline->limits = limits;
  const Counters& counters = pipeline->counters;
  const NewestNote newest = newest_.find(name);
  return PipelineRow{pipeline->pipeline, counters.last_checkpoint_id, counters.reserved_id, newest.checkpoint_id,
                     newest.source_offset};
}

Status SqliteCheckpointStore::read_counters(OpenPipeline& pipeline, const RegisteredPipeline& row) {
  WEIR_TRY(read_retained(pipeline));
  Counters& counters = pipeline.counters;
  counters.reserved_id = std::max({row.reserved_id, counters.last_checkpoint_id, newest_.find(pipeline.name).checkpoint_id});
  Result<DeadLetterCounts> letters = dead_letters_.count(pipeline.pipeline);
  if (!letters.ok()) return letters.status();
  counters.dead_letters = letters.value();
  return {};
}

/// Rows that fail their check name no checkpoint; load() says so.
Status SqliteCheckpointStore::read_retained(OpenPipeline& pipeline) {
  std::vector<uint64_t> ids;
  WEIR_TRY(checkpoints_.each_id(pipeline.pipeline, [&](uint64_t id) {
    ids.insert(ids.begin(), id);
    return Status();
  }));
  pipeline.retained_count = 0;
  pipeline.counters.last_checkpoint_id = 0;
  for (uint64_t id : ids) {
    Status status = checkpoints_.read(pipeline.pipeline, id, [](const CheckpointRow&) { return Status(); });
    if (status.code() == Code::Corrupt || status.code() == Code::NotFound) continue;
    WEIR_TRY(status);
    pipeline.retain(id);
    pipeline.counters.last_checkpoint_id = id;
  }
  return {};
}

uint64_t SqliteCheckpointStore::OpenPipeline::oldest_with(uint64_t next) const {
  const size_t others = limits.checkpoints_retained - 1;
  const uint64_t oldest =
      others == 0 || retained_count == 0 ? next : retained[retained_count - std::min(others, retained_count)];
  return pinned == 0 ? oldest : std::min(oldest, pinned);
}

uint64_t SqliteCheckpointStore::OpenPipeline::oldest() const {
  return pinned == 0 ? retained[0] : std::min(retained[0], pinned);
}

void SqliteCheckpointStore::OpenPipeline::retain(uint64_t id) {
  const size_t kept = std::min<size_t>(limits.checkpoints_retained - 1, retained_count);
  std::copy(retained.begin() + static_cast<ptrdiff_t>(retained_count - kept),
            retained.begin() + static_cast<ptrdiff_t>(retained_count), retained.begin());
  retained[kept] = id;
  retained_count = kept + 1;
}

Result<uint32_t> SqliteCheckpointStore::find_or_add_operator(uint32_t pipeline, std::string_view uid) {
  Result<uint32_t> op = registry_.find_operator(pipeline, uid);
  if (op.status().code() != Code::NotFound || read_only_) return op;
  Status added = change([&] {
    op = registry_.add_operator(pipeline, uid);
    return op.status();
  });
  if (!added.ok()) return added;
  return op;
}

Result<uint32_t> SqliteCheckpointStore::operator_number(uint32_t pipeline, std::string_view uid) {
  if (find_pipeline(pipeline) == nullptr) return Status(Code::InvalidArgument, "the pipeline was not opened");
  Result<uint32_t> op = find_or_add_operator(pipeline, uid);
  if (!op.ok() || find_part(op.value()) != nullptr) return op;
  Part part;
  part.op = op.value();
  part.pipeline = pipeline;
  if (Status status = read_part(part); !status.ok()) return status;
  parts_.push_back(std::move(part));
  return op;
}

Status SqliteCheckpointStore::read_part(Part& part) {
  part.trimmed_count = 0;
  part.rewritten.clear();
  part.rewritten.reserve(Part::rewritten_max);
  part.deleted = {};
  return states_.newest(part.op, part.checkpoint_id, part.set);
}

Status SqliteCheckpointStore::reserve_ids(uint32_t pipeline, uint64_t reserved_id) {
  OpenPipeline* opened = find_pipeline(pipeline);
  if (opened == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  if (reserved_id > row_key::checkpoint_id_max) return {Code::InvalidArgument, "the ids of checkpoints are used up"};
  if (reserved_id <= opened->counters.reserved_id) return broken_;
  WEIR_TRY(change(
      [&] { return registry_.update_pipeline(pipeline, opened->name, reserved_id, opened->counters.dead_letters.purged); }));
  opened->counters.reserved_id = reserved_id;
  return {};
}

Status SqliteCheckpointStore::after_commit() {
  WEIR_TRY(broken_);
  if (database_.wal_frames() < wal_frames_max_) return {};
  crash_point("wal.move");
  WEIR_TRY(fail(database_.checkpoint_wal()));
  crash_point("wal.moved");
  return {};
}

Result<StoredOutbox> SqliteCheckpointStore::next_outbox(uint32_t op, uint64_t after_checkpoint, std::span<uint8_t> to) {
  if (op > row_key::op_max) return Status(Code::InvalidArgument, "there is no such part");
  // What was trimmed may still be there for an older checkpoint.
  const Part* part = find_part(op);
  const uint64_t after = std::max(after_checkpoint, part == nullptr ? 0 : part->set.after_of(BlobKind::Outbox));
  StoredOutbox found;
  Status status = table(BlobKind::Outbox).first(op, after, [&](const StoredBlob& blob) -> Status {
    if (blob.bytes.size() > to.size()) return {Code::Full, "a blob of the outbox is larger than the buffer for it"};
    std::ranges::copy(blob.bytes, to.begin());
    found = {blob.checkpoint_id, blob.bytes.size()};
    return {};
  });
  if (!status.ok()) return status;
  return found;
}

Status SqliteCheckpointStore::list_dead_letters(uint32_t pipeline, int64_t after, size_t limit,
                                                FunctionRef<void(const StoredDeadLetter&)> visit) {
  return dead_letters_.list(pipeline, after, limit, visit);
}

Result<CheckpointStore::DeadLetterCounts> SqliteCheckpointStore::count_dead_letters(uint32_t pipeline) {
  if (const OpenPipeline* opened = find_pipeline(pipeline)) return opened->counters.dead_letters;
  return dead_letters_.count(pipeline);
}

Result<size_t> SqliteCheckpointStore::purge_dead_letters(const DeadLetterSelection& selection) {
  std::array<DeadLetterTable::Place, purge_portion> places;
  size_t count = 0;
  Status status = dead_letters_.select_places(selection, places.size(),
                                              [&](const DeadLetterTable::Place& place) { places[count++] = place; });
  if (status.ok() && count > 0)
    status = change([&]() -> Status {
      for (const DeadLetterTable::Place& place : std::span(places).first(count)) WEIR_TRY(dead_letters_.remove(place));
      return {};
    });
  if (!status.ok()) return status;
  for (const DeadLetterTable::Place& place : std::span(places).first(count)) {
    OpenPipeline* pipeline = find_pipeline(place.pipeline);
    if (pipeline == nullptr) continue;
    DeadLetterCounts& counts = pipeline->counters.dead_letters;
    counts.rows -= std::min<uint64_t>(1, counts.rows);
    counts.bytes -= std::min(place.bytes, counts.bytes);
  }
  return count;
}

}  // namespace weir
