// StepBuild: what a registered step's `make` works with: its options as written, the records that come in, memory, and ways to
// say what is wrong at its place in the file. Start-up only; lives for the length of one call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/expression/expression.h"
#include "agent/model/lookup_file.h"
#include "agent/model/schema.h"
#include "agent/model/step_options.h"
#include "agent/model/type_set.h"
#include "agent/operators/keyed_operator.h"

namespace weir {

/// Takes what is wrong with a configuration to where it is shown.
class StepErrors {
 public:
  virtual ~StepErrors() = default;
  /// About `length` bytes of `text` from `offset`.
  virtual void error(const Text& text, size_t offset, size_t length, std::string_view message, std::string_view help) = 0;
  virtual void error(Location at, size_t length, std::string_view message, std::string_view help) = 0;
};

class StepBuild {
 public:
  StepBuild(const StepOptions& options, const Schema& input, KeyedSpec keyed, Arena& arena, std::string pool, Location at,
            StepErrors& errors)
      : options_(options),
        input_(input),
        keyed_(std::move(keyed)),
        arena_(arena),
        pool_(std::move(pool)),
        at_(at),
        errors_(errors) {}

  const StepOptions& options() const { return options_; }
  /// Outlives the operator.
  const Schema& input() const { return input_; }
  /// Of a step with two; nullptr otherwise.
  const Schema* second_input() const { return second_input_; }
  void set_second_input(const Schema* schema) { second_input_ = schema; }
  /// Of a keyed step with two inputs: its records are found under the same keys, by fields of the same names. An error, about
  /// the option `key`, if there are none of the same types.
  void key_second_input(std::string_view key);
  /// Where a lookup's tables come from.
  LookupFiles& lookup_files() const { return *lookup_files_; }
  void set_lookup_files(LookupFiles& files) { lookup_files_ = &files; }
  const std::string& id() const { return keyed_.id; }
  /// Of a keyed step: positions in the input.
  const std::vector<uint32_t>& key_fields() const { return keyed_.key_fields; }
  uint32_t max_keys() const { return keyed_.max_keys; }
  Arena& arena() const { return arena_; }
  /// Names of the step's pools begin with this.
  const std::string& pool() const { return pool_; }

  /// False once an error was told: the step cannot be made, but more may be found wrong with it.
  bool good() const { return good_; }
  /// About the value of an option, or the whole step if the option was not written.
  [[gnu::cold]] void error(std::string_view key, std::string_view message, std::string_view help = {});

  /// About the whole of `text`.
  [[gnu::cold]] void error(const Text& text, std::string_view message, std::string_view help = {});

  /// The position of the field that the option `key` names, of one of these types; 0 and an error if it cannot be.
  [[gnu::cold]] uint32_t field(std::string_view key, TypeSet types);
  [[gnu::cold]] uint32_t field(const Text& name, TypeSet types);
  /// The same for a name that the operator itself gives; an error is about the whole step.
  [[gnu::cold]] uint32_t field_named(std::string_view name, TypeSet types);
  /// The option's expression over the input, with memory for its texts; empty, with an error, if it does not compile.
  /// Type::Null: any type.
  [[gnu::cold]] Program expression(std::string_view key, Type expected);
  [[gnu::cold]] Program expression(const Text& text, Type expected) { return expression(text, expected, input_); }
  /// The same over other fields than the input's.
  [[gnu::cold]] Program expression(const Text& text, Type expected, const Schema& schema);
  /// Errors inside `text`.
  void report(const Text& text, const std::vector<ExpressionError>& errors);
  /// Adds a field to a result's schema; an error, about the option `key`, if there is one of that name or there are too many.
  void add_field(Schema& schema, Field field, std::string_view key);
  /// A schema that begins with the key fields.
  Schema key_schema() const;

  /// The step as an operator over keys; nullptr, with an error, if a key's state is larger than can be stored.
  std::unique_ptr<Operator> keyed(std::unique_ptr<KeyedFunction> function);

 private:
  /// A field's position, or what is wrong with it.
  struct FoundField {
    uint32_t position = 0;
    std::string message = {};
    std::string help = {};
  };
  FoundField find_field(std::string_view name, TypeSet types) const;

  const StepOptions& options_;
  const Schema& input_;
  const Schema* second_input_ = nullptr;
  LookupFiles* lookup_files_ = nullptr;
  KeyedSpec keyed_;
  Arena& arena_;
  std::string pool_;
  Location at_;
  StepErrors& errors_;
  bool good_ = true;
};

}  // namespace weir
