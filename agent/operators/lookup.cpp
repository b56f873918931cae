// lookup: adds to each record what a table in a file says about it. The table lies in memory twice: when the file has changed
// it is read into the other half, and taken only if all of it is good; otherwise the old one stays, and the log says once why.
//
// Memory: 2 x max_rows rows of the key's bytes and the added fields. Not part of the state: a restart reads the file again.
#include <array>

#include "agent/base/hash.h"
#include "agent/base/log.h"
#include "agent/model/background.h"
#include "agent/model/lookup_file.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

enum class Missing : uint8_t { Null, Drop, DeadLetter };

struct LookupSpec {
  std::vector<uint32_t> on;  // positions in the input
  Schema key;                // the same fields
  Schema added;
  Missing missing = Missing::Null;
  uint32_t max_rows = 0;
  int64_t check_ms = 0;
};

std::vector<uint32_t> first_positions(size_t count) {
  std::vector<uint32_t> positions;
  for (uint32_t index = 0; index < count; ++index) positions.push_back(index);
  return positions;
}

/// One reading of the file.
class Table {
 public:
  Table(const LookupSpec& spec, const KeyCodec& codec, const RowCell& cells, Arena& arena, const std::string& pool)
      : codec_(codec),
        cells_(cells),
        keys_(spec.max_rows, arena, pool + ".key-table"),
        row_bytes_(as_size(sizeof(uint16_t) + codec.bytes_max() + cells.bytes())),
        rows_(arena.take<uint8_t>(as_size(uint64_t{spec.max_rows} * row_bytes_), pool + ".table",
                                  "2 x " + std::to_string(spec.max_rows) + " rows x " + std::to_string(row_bytes_) + " bytes")),
        max_rows_(spec.max_rows) {}

  uint32_t rows() const { return count_; }

  /// The added fields of the row with this key; nullptr if there is none. The bytes of the key come first.
  const uint8_t* find(Bytes key) const {
    const uint32_t row = keys_.find(hash64(key), [&](uint32_t other) { return as_text(key_of(other)) == as_text(key); });
    return row == KeyTable::none ? nullptr : row_at(row) + sizeof(uint16_t) + codec_.bytes_max();
  }
  void clear() {
    keys_.clear();
    count_ = 0;
  }
  /// `values` are those of the key and then the added ones. Returns why the row cannot be, or nullptr.
  const char* add(std::span<const Value> values) {
    if (count_ == max_rows_) return "there are more rows than max_rows";
    uint8_t* row = row_at(count_);
    const Bytes key =
        codec_.encode(values.first(codec_.size()), {row + sizeof(uint16_t), static_cast<size_t>(codec_.bytes_max())});
    store(row, static_cast<uint16_t>(key.size()));
    if (find(key) != nullptr) return "an earlier row has the same key";
    cells_.put(row + sizeof(uint16_t) + codec_.bytes_max(), values.subspan(codec_.size()));
    keys_.insert(hash64(key), count_++);
    return nullptr;
  }

 private:
  uint8_t* row_at(uint32_t row) const { return rows_.data() + size_t{row} * row_bytes_; }
  Bytes key_of(uint32_t row) const { return {row_at(row) + sizeof(uint16_t), load<uint16_t>(row_at(row))}; }

  const KeyCodec& codec_;
  const RowCell& cells_;
  KeyTable keys_;
  size_t row_bytes_;
  std::span<uint8_t> rows_;
  uint32_t max_rows_;
  uint32_t count_ = 0;
};

class Lookup final : public Operator, private BackgroundJob {
 public:
  Lookup(std::string id, LookupSpec spec, const Schema& input, std::unique_ptr<LookupFile> file, Arena& arena,
         const std::string& pool)
      : id_(std::move(id)),
        spec_(std::move(spec)),
        input_(input),
        schema_(input),
        file_(std::move(file)),
        codec_(spec_.key, first_positions(spec_.key.size())),
        cells_(spec_.added),
        tables_{Table(spec_, codec_, cells_, arena, pool), Table(spec_, codec_, cells_, arena, pool)} {
    for (const Field& field : spec_.added.fields()) schema_.add(field);
    const std::string row = pool + ".row";
    row_ = arena.take<Value>(schema_.size(), row, "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
    key_values_ = arena.take<Value>(spec_.key.size(), row, "");
    key_room_ = arena.take<uint8_t>(static_cast<size_t>(codec_.bytes_max()), row, "");
  }

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  bool wants_ticks() const override { return spec_.check_ms > 0; }
  void connect_background(BackgroundExecutor& executor) override { executor_ = &executor; }

  /// False with the reason if the table cannot be read; then the one in use stays.
  bool read(TextWriter& problem) {
    const bool whole = read_other(problem);
    if (whole) in_use_ = 1 - in_use_;
    return whole;
  }

  bool tick(int64_t processing_ms) override {
    if (processing_ms < next_check_ms_ || looking_) return true;
    next_check_ms_ = processing_ms + spec_.check_ms;
    looking_ = true;
    if (executor_ != nullptr) {
      executor_->submit(*this);
    } else {
      work();
      take_over();
    }
    return true;
  }

  Outcome process(const Record& record) override {
    for (size_t index = 0; index < spec_.on.size(); ++index) key_values_[index] = record.values[spec_.on[index]];
    const uint8_t* found = tables_[in_use_].find(codec_.encode(key_values_, key_room_));
    if (found == nullptr && spec_.missing == Missing::Drop) return Outcome::Filtered;
    if (found == nullptr && spec_.missing == Missing::DeadLetter) return refuse(record);
    std::ranges::copy(record.values, row_.begin());
    const std::span<Value> added = row_.subspan(record.values.size());
    if (found != nullptr)
      cells_.get(found, added);
    else
      std::ranges::fill(added, Value::null());
    Record changed = record;
    changed.values = row_;
    return next().process(changed);
  }

 private:
  enum class Look : uint8_t { Unchanged, Read, Failed };

  /// Into the half that is not in use.
  bool read_other(TextWriter& problem) {
    Table& other = tables_[1 - in_use_];
    other.clear();
    return file_->read([&](std::span<const Value> values) { return other.add(values); }, problem);
  }

  /// On the thread that may wait for a disk: touches the file, the half that is not in use, and what follows `looking_` below.
  void work() override {
    look_ = Look::Unchanged;
    if (!file_->changed()) return;
    TextWriter problem(problem_);
    look_ = read_other(problem) ? Look::Read : Look::Failed;
    problem_bytes_ = problem.size();
  }
  void done(Now) override { take_over(); }

  void take_over() {
    looking_ = false;
    if (look_ == Look::Unchanged) return;
    if (look_ == Look::Read) {
      in_use_ = 1 - in_use_;
      log(LogLevel::Notice, "step %s: read its table again: %u rows", id_.c_str(), tables_[in_use_].rows());
    } else if (!failed_) {
      log(LogLevel::Warning, "step %s: its table cannot be read, the last good one stays: %.*s", id_.c_str(),
          static_cast<int>(problem_bytes_), problem_.data());
    }
    failed_ = look_ == Look::Failed;
  }

  Outcome refuse(const Record& record) {
    TextWriter text(text_);
    text.append("step ").append(id_).append(": the table has no row for ");
    codec_.describe(key_values_, text);
    refusals().on_refused(record, input_, id_, {"lookup", text.text()});
    return Outcome::DeadLetter;
  }

  std::string id_;
  LookupSpec spec_;
  const Schema& input_;
  Schema schema_;
  std::unique_ptr<LookupFile> file_;
  KeyCodec codec_;
  RowCell cells_;
  std::array<Table, 2> tables_;
  size_t in_use_ = 0;
  std::span<Value> row_;
  std::span<Value> key_values_;
  std::span<uint8_t> key_room_;
  int64_t next_check_ms_ = INT64_MIN;
  bool failed_ = false;
  std::array<char, 512> text_{};
  BackgroundExecutor* executor_ = nullptr;  // none: the file is read in place
  bool looking_ = false;                    // the job is under way
  Look look_ = Look::Unchanged;
  std::array<char, 512> problem_{};
  size_t problem_bytes_ = 0;
};

/// "float", "string(32)", "float max_t": the type of an added field and, where it has another name, its column.
bool parse_added(const NamedExpression& rule, Field& field, std::string& column) {
  const std::string& text = rule.expression.value;
  const std::string type = text.substr(0, text.find(' '));
  column = type.size() == text.size() ? rule.name : text.substr(text.find_first_not_of(' ', type.size()));
  field.name = rule.name;
  for (Type each : {Type::Bool, Type::Int, Type::Float, Type::String})
    if (type == type_name(each)) field.type = each;
  if (field.type == Type::String) field.max_length = default_string_length;
  if (type.starts_with("string(") && type.ends_with(')')) {
    const long length = strtol(type.c_str() + 7, nullptr, 10);
    field.type = Type::String;
    field.max_length = static_cast<uint32_t>(length);
    if (length < 1 || length > 4096) return false;
  }
  return field.type != Type::Null && !column.empty();
}

void add_columns(StepBuild& build, LookupSpec& spec, Schema& output, LookupFileSpec& file) {
  for (const NamedExpression& rule : build.options().expressions("add")) {
    Field field;
    std::string column;
    if (!parse_added(rule, field, column)) {
      build.error(rule.expression, "\"" + rule.name + "\" is no type: " + rule.expression.value,
                  "bool, int, float, string or string(N), and behind it the column where that has another name");
      continue;
    }
    build.add_field(output, field, "add");
    if (spec.added.find(field.name) < 0) spec.added.add(field);
    field.name = column;
    file.columns.push_back(field);
  }
}

void find_key(StepBuild& build, LookupSpec& spec, LookupFileSpec& file) {
  const std::vector<Text>& on = build.options().list("on");
  const std::vector<Text>& columns = build.options().list("columns");
  if (!columns.empty() && columns.size() != on.size())
    build.error("columns", "\"columns\" names as many columns as \"on\" names fields");
  for (size_t index = 0; index < on.size() && build.good(); ++index) {
    spec.on.push_back(build.field(on[index], TypeSet(Type::Bool) | Type::Int | Type::Float | Type::String));
    if (!build.good()) return;
    Field field = build.input()[spec.on.back()];
    if (spec.key.find(field.name) >= 0) return build.error("on", "\"on\" names \"" + field.name + "\" twice");
    spec.key.add(field);
    if (!columns.empty()) field.name = columns[index].value;
    file.columns.push_back(field);
  }
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  LookupSpec spec;
  LookupFileSpec file;
  file.path = options.path("file");
  file.table = options.text("table").value;
  file.bytes_max = static_cast<size_t>(options.integer("max_bytes"));
  spec.max_rows = static_cast<uint32_t>(options.integer("max_rows"));
  spec.check_ms = options.integer("check");
  const std::string& missing = options.text("missing").value;
  spec.missing = missing == "drop" ? Missing::Drop : missing == "dead-letter" ? Missing::DeadLetter : Missing::Null;
  Schema output = build.input();
  find_key(build, spec, file);
  add_columns(build, spec, output, file);
  if (!build.good()) return nullptr;
  auto made =
      std::make_unique<Lookup>(build.id(), std::move(spec), build.input(),
                               build.lookup_files().open(file, build.arena(), build.pool()), build.arena(), build.pool());
  std::array<char, 512> room{};
  TextWriter problem(room);
  if (made->read(problem)) return made;
  build.error("file", std::string(problem.text()), "the table is read when weir starts, and again when the file has changed");
  return nullptr;
}

constexpr const char* missing_choices[] = {"null", "drop", "dead-letter"};

constexpr StepOption options[] = {
    {.key = "file",
     .type = StepOptionType::Path,
     .required = true,
     .minimum = "1",
     .maximum = "4096",
     .documentation =
         "The table: a CSV file whose first line names the columns, or with `table` a SQLite database. It is read again "
         "when it has changed; one that cannot be read, or is too large, leaves the last good one in use.",
     .example = "file = \"/etc/weir/devices.csv\""},
    {.key = "table",
     .type = StepOptionType::Text,
     .minimum = "1",
     .maximum = "63",
     .documentation = "The table or view of a SQLite database.",
     .example = "table = \"devices\""},
    {.key = "on",
     .type = StepOptionType::TextList,
     .required = true,
     .minimum = "1",
     .maximum = "8",
     .documentation = "The fields of the record by which a row is found.",
     .example = "on = [\"device\"]"},
    {.key = "columns",
     .type = StepOptionType::TextList,
     .maximum = "8",
     .documentation = "Their columns in the table, where they have other names.",
     .example = "columns = [\"serial\"]"},
    {.key = "add",
     .type = StepOptionType::ExpressionTable,
     .table_of = "types",
     .documentation =
         "The fields that are added: `name = \"TYPE\"` or `name = \"TYPE COLUMN\"`, with bool, int, float, string(N). Without "
         "it the table says only which records go on.",
     .example = "add = { site = \"string(32)\", limit = \"float max_temperature\" }"},
    {.key = "missing",
     .type = StepOptionType::Choice,
     .standard = "null",
     .choices = missing_choices,
     .documentation = "A record without a row: goes on with nulls, is filtered out (`drop`), or is set aside (`dead-letter`).",
     .example = "missing = \"drop\""},
    {.key = "max_rows",
     .type = StepOptionType::Integer,
     .standard = "1000",
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "Rows that there is room for; a file with more is refused.",
     .example = "max_rows = 200"},
    {.key = "max_bytes",
     .type = StepOptionType::Size,
     .standard = "256KiB",
     .minimum = "1KiB",
     .maximum = "16MiB",
     .documentation = "The largest CSV file; as much memory is reserved to read it.",
     .example = "max_bytes = \"64KiB\""},
    {.key = "check",
     .type = StepOptionType::Duration,
     .standard = "10s",
     .minimum = "0s",
     .documentation = "How often weir looks whether the file has changed; `0s`: never.",
     .example = "check = \"1min\""},
};

}  // namespace

const StepKind lookup_step = {
    .verb = "lookup",
    .documentation = "Verb: adds what a table in a file says about the record.",
    .options = options,
    .make = make,
};

}  // namespace weir
