// lookup: joins a record with a row of a table from a file, found by its key. The file is read at the start and again when it
// has changed; a bad new one leaves the table as it is and is told once. No state: after a restart the file is read anew.
#include <algorithm>

#include "agent/base/log.h"
#include "agent/operators/lookup_table.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

constexpr uint32_t string_length_max = 4096;

enum class Missing : uint8_t { Null, Drop, DeadLetter };

struct LookupSpec {
  std::vector<Program> key;
  Missing missing = Missing::Null;
  int64_t reload_ms = 0;  // 0: never
  std::string path;
};

class Lookup final : public Operator {
 public:
  /// `schema`: the input's fields, then the columns of the table that are added.
  Lookup(std::string id, LookupSpec spec, std::unique_ptr<LookupFile> file, std::unique_ptr<LookupTable> table,
         const Schema& input, Schema schema, Arena& arena, const std::string& pool)
      : id_(std::move(id)),
        spec_(std::move(spec)),
        file_(std::move(file)),
        table_(std::move(table)),
        input_(input),
        schema_(std::move(schema)) {
    row_ = arena.take<Value>(schema_.size(), pool + ".row", "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
    key_ = arena.take<Value>(spec_.key.size(), pool + ".row", "");
  }

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  bool wants_ticks() const override { return spec_.reload_ms > 0; }

  Outcome process(const Record& record) override {
    for (size_t index = 0; index < key_.size(); ++index) key_[index] = spec_.key[index].evaluate(record.values);
    std::ranges::copy(record.values, row_.begin());
    const std::span<Value> added = row_.subspan(record.values.size());
    if (!table_->find(key_, added)) {
      if (spec_.missing == Missing::Drop) return Outcome::Filtered;
      if (spec_.missing == Missing::DeadLetter) {
        refusals().on_refused(record, input_, id_, {"lookup", "the table has no row for its key"});
        return Outcome::DeadLetter;
      }
      std::ranges::fill(added, Value::null());
    }
    Record joined = record;
    joined.values = row_;
    return next().process(joined);
  }

  bool tick(int64_t processing_ms) override {
    if (spec_.reload_ms == 0 || processing_ms < next_look_ms_) return true;
    if (__builtin_add_overflow(processing_ms, spec_.reload_ms, &next_look_ms_)) next_look_ms_ = INT64_MAX;
    if (file_->changed()) reload();
    return true;
  }

 private:
  void reload() {
    const LookupFault fault = table_->load(*file_);
    if (fault.text == nullptr)
      log(LogLevel::Info, "%s: %s has changed: %u rows", id_.c_str(), spec_.path.c_str(), table_->size());
    else
      log(LogLevel::Warning, "%s: %s:%u:%u: %s; the table from before stays", id_.c_str(), spec_.path.c_str(), fault.line,
          fault.column, fault.text);
  }

  std::string id_;
  LookupSpec spec_;
  std::unique_ptr<LookupFile> file_;
  std::unique_ptr<LookupTable> table_;
  const Schema& input_;
  Schema schema_;
  std::span<Value> row_;
  std::span<Value> key_;
  int64_t next_look_ms_ = INT64_MIN;
};

/// `bool`, `int`, `float`, `string`, `string(N)`.
bool parse_column_type(std::string_view text, Field& field) {
  for (Type type : {Type::Bool, Type::Int, Type::Float})
    if (text == type_name(type)) return field.type = type, true;
  field.type = Type::String;
  field.max_length = default_string_length;
  if (text == "string") return true;
  if (!text.starts_with("string(") || !text.ends_with(")") || text.size() > 12) return false;
  field.max_length = 0;
  for (char digit : text.substr(7, text.size() - 8)) {
    if (digit < '0' || digit > '9') return false;
    field.max_length = field.max_length * 10 + static_cast<uint32_t>(digit - '0');
  }
  return field.max_length >= 1 && field.max_length <= string_length_max;
}

/// The columns that a record's key is looked for in, and their values.
Schema key_columns(StepBuild& build, LookupSpec& spec) {
  const StepOptions& options = build.options();
  Schema keys;
  if (options.given("on") == options.given("key")) {
    build.error(options.given("on") ? "on" : "lookup", "a lookup needs \"on\" or \"key\"", "for example: on = \"device\"");
  } else if (options.given("on")) {
    (void)build.field("on", ordered_types);
    const Text& name = options.text("on");
    Text expression = name;
    expression.value = "`" + name.value + "`";
    if (build.good()) spec.key.push_back(build.expression(expression, Type::Null));
    if (build.good()) keys.add({name.value, spec.key[0].type(), spec.key[0].max_length()});
  }
  for (const NamedExpression& each : options.expressions("key")) {
    spec.key.push_back(build.expression(each.expression, Type::Null));
    if (!build.good()) continue;
    if (spec.key.back().type() == Type::Null)
      build.report(each.expression, {{0, each.expression.value.size(), "null has no type", ""}});
    build.add_field(keys, {each.name, spec.key.back().type(), spec.key.back().max_length()}, "key");
  }
  return keys;
}

Schema added_columns(StepBuild& build, const Schema& keys) {
  Schema added;
  for (const NamedExpression& each : build.options().expressions("add")) {
    Field field{each.name, Type::Null, 0};
    if (!parse_column_type(each.expression.value, field))
      build.report(each.expression,
                   {{0, each.expression.value.size(), "a column is bool, int, float, string or string(N)", ""}});
    else if (keys.find(each.name) >= 0)
      build.error("add", "\"" + each.name + "\" is a column of the key already");
    else
      build.add_field(added, field, "add");
  }
  if (added.size() == 0) build.error("add", "a lookup adds at least one column");
  return added;
}

std::unique_ptr<LookupFile> open_file(StepBuild& build, const Schema& keys, const Schema& added) {
  LookupRequest request;
  request.path = build.options().text("file").value;
  request.bytes_max = static_cast<uint64_t>(build.options().integer("max_bytes"));
  request.pool = build.pool() + ".file";
  for (const Schema* schema : {&keys, &added})
    for (const Field& field : schema->fields()) request.columns.push_back(field.name);
  if (request.columns.size() > fields_max || lookup_opener() == nullptr) {
    build.error("file", lookup_opener() == nullptr ? "this program reads no such files" : "that is too many columns");
    return nullptr;
  }
  return lookup_opener()(request, build.arena());
}

void load_first(StepBuild& build, LookupTable& table, LookupFile& file) {
  const LookupFault fault = table.load(file);
  if (fault.text == nullptr) return;
  const std::string place = fault.line == 0 ? "" : ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column);
  build.error("file", build.options().text("file").value + place + ": " + fault.text);
}

std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  LookupSpec spec;
  const std::string& missing = options.text("missing").value;
  spec.missing = missing == "drop" ? Missing::Drop : (missing == "dead-letter" ? Missing::DeadLetter : Missing::Null);
  spec.reload_ms = options.integer("reload");
  spec.path = options.text("file").value;
  const Schema keys = key_columns(build, spec);
  const Schema added = added_columns(build, keys);
  Schema schema = build.input();
  for (const Field& field : added.fields()) build.add_field(schema, field, "add");
  if (!build.good()) return nullptr;
  std::unique_ptr<LookupFile> file = open_file(build, keys, added);
  if (file == nullptr) return nullptr;
  auto table = std::make_unique<LookupTable>(keys, added, static_cast<uint32_t>(options.integer("max_rows")), build.arena(),
                                             build.pool());
  load_first(build, *table, *file);
  if (!build.good()) return nullptr;
  return std::make_unique<Lookup>(build.id(), std::move(spec), std::move(file), std::move(table), build.input(),
                                  std::move(schema), build.arena(), build.pool());
}

constexpr const char* missings[] = {"null", "drop", "dead-letter"};

constexpr StepOption options[] = {
    {.key = "file",
     .type = StepOptionType::Text,
     .required = true,
     .minimum = "1",
     .documentation =
         "A CSV file whose first line names the columns. A relative path begins at the directory that weir is started "
         "in.",
     .example = "file = \"/etc/weir/devices.csv\""},
    {.key = "on",
     .type = StepOptionType::Text,
     .documentation = "The key: a field that has the name of the column.",
     .example = "on = \"device\""},
    {.key = "key",
     .type = StepOptionType::ExpressionTable,
     .documentation = "The key instead of `on`: for each of its columns an expression over the record.",
     .example = "key = { device = \"lower(name)\", channel = \"channel\" }"},
    {.key = "add",
     .type = StepOptionType::ExpressionTable,
     .required = true,
     .documentation =
         "The columns that become fields, and their types: `bool`, `int`, `float`, `string`, `string(N)`. An empty "
         "cell is null.",
     .example = "add = { site = \"string(32)\", limit = \"float\" }"},
    {.key = "missing",
     .type = StepOptionType::Choice,
     .standard = "null",
     .choices = missings,
     .documentation = "A record whose key has no row, or is null: `null` leaves the new fields empty, `drop` filters it out, "
                      "`dead-letter` sets it aside.",
     .example = "missing = \"drop\""},
    {.key = "reload",
     .type = StepOptionType::Duration,
     .standard = "5s",
     .minimum = "0s",
     .documentation =
         "How often to look whether the file has changed; `0s`: never. A bad new file is logged once and leaves the "
         "table as it is.",
     .example = "reload = \"1min\""},
    {.key = "max_rows",
     .type = StepOptionType::Integer,
     .standard = "1000",
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "Rows that the table has room for, twice. A file with more is refused.",
     .example = "max_rows = 200"},
    {.key = "max_bytes",
     .type = StepOptionType::Size,
     .standard = "1MiB",
     .minimum = "1B",
     .maximum = "64MiB",
     .documentation = "Room for the file while it is read. A larger one is refused.",
     .example = "max_bytes = \"64KiB\""},
};

}  // namespace

const StepKind lookup_step = {
    .verb = "lookup",
    .documentation = "Verb: adds fields from a table in a file, found by a key.",
    .options = options,
    .make = make,
};

}  // namespace weir
