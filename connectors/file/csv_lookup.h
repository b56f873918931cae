// A lookup table's file as CSV (RFC 4180): the first line names the columns; cells are separated by commas and may stand in
// quotes, where a doubled quote is one and lines may break; lines end in LF or CRLF; empty lines mean nothing. The whole file
// is read into memory that was taken at the start, at most `bytes_max`, so reading takes a few milliseconds per MiB.
#pragma once

#include "agent/model/lookup_file.h"

namespace weir {

std::unique_ptr<LookupFile> open_csv_lookup(const LookupRequest& request, Arena& arena);

}  // namespace weir
