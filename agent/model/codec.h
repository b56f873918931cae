// The seams to formats: a Decoder turns a message into values, an Encoder a record into a payload. Reactor thread only; one
// per pipeline; neither allocates after it was made.
#pragma once

#include <span>

#include "agent/base/text_writer.h"
#include "agent/model/message.h"
#include "agent/model/record.h"
#include "agent/model/schema.h"

namespace weir {

/// Why a message was refused. `reason` is a constant that counters group by, `detail` says it to a person and lives in the
/// decoder until its next call.
struct Refusal {
  const char* reason = nullptr;  // nullptr: not refused
  std::string_view detail;
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual const Schema& schema() const = 0;
  /// Fills one value per field of the schema. Strings view the message or the decoder's own buffer: good until the next call.
  /// A field that the message leaves out is null.
  virtual Refusal decode(const Message& message, std::span<Value> values) = 0;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// The most bytes a payload can have.
  virtual size_t payload_bytes_max() const = 0;
  virtual void encode(const Record& record, TextWriter& out) = 0;
};

}  // namespace weir
