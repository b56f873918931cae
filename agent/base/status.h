// Status and Result<T>: how weir reports failure. A Status is a code, a constant text and a number from the library that
// failed (errno, an SQLite or mosquitto code); it never allocates and is cheap to copy. Both are [[nodiscard]].
// Outside data ends in a Status; a programmer's error ends in WEIR_ASSERT.
#pragma once

#include <cstdint>
#include <utility>

#include "agent/base/assert.h"

namespace weir {

enum class Code : uint8_t {
  Ok,
  InvalidArgument,  // what was asked for makes no sense; asking again will not help
  Config,           // the configuration is wrong; exit 78
  NotFound,
  Corrupt,       // stored bytes fail their check
  Incompatible,  // stored state does not fit the configuration
  Busy,          // someone else holds it (a lock, a database)
  Full,          // no space: disk, quota, buffer
  Io,            // reading or writing failed; what is on disk is unknown until it is read again
  Unavailable,   // the other side is not there now; try again later
  Protocol,      // the other side broke the rules
  Refused,       // the other side said no
};

class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  /// `text` must be a string constant: it is kept by pointer.
  constexpr Status(Code code, const char* text, int detail = 0) : text_(text), detail_(detail), code_(code) {}

  constexpr bool ok() const { return code_ == Code::Ok; }
  constexpr Code code() const { return code_; }
  constexpr const char* text() const { return text_; }
  constexpr int detail() const { return detail_; }

 private:
  const char* text_ = "ok";
  int detail_ = 0;
  Code code_ = Code::Ok;
};

/// A value or the Status that says why there is none. T must be default-constructible and movable.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): reads as `return value;`
  Result(Status status) : status_(status) {      // NOLINT(google-explicit-constructor)
    WEIR_ASSERT(!status.ok());
  }

  bool ok() const { return status_.ok(); }
  Status status() const { return status_; }
  T& value() {
    WEIR_ASSERT(ok());
    return value_;
  }
  const T& value() const {
    WEIR_ASSERT(ok());
    return value_;
  }

 private:
  T value_{};
  Status status_;
};

}  // namespace weir

#define WEIR_CONCAT_INNER(a, b) a##b
#define WEIR_CONCAT(a, b) WEIR_CONCAT_INNER(a, b)
/// Returns from the enclosing function with the Status of `expression` unless it is ok.
#define WEIR_TRY(expression)                                                                          \
  do {                                                                                                \
    if (::weir::Status weir_try_status = (expression); !weir_try_status.ok()) return weir_try_status; \
  } while (false)
