#include "storage/sqlite_status.h"

#include <sqlite3.h>

namespace weir {

Status sqlite_status(int code) {
  switch (code & 0xFF) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return {};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::Busy, "another program holds the database", code};
    case SQLITE_INTERRUPT:
      return {Code::Busy, "it took longer than its timeout and was interrupted", code};
    case SQLITE_FULL:
      return {Code::Full, "the disk or the quota of the database is full", code};
    case SQLITE_NOMEM:
      return {Code::Full, "the memory of SQLite is full", code};
    case SQLITE_CORRUPT:
      return {Code::Corrupt, "the database is damaged", code};
    case SQLITE_NOTADB:
      return {Code::Corrupt, "the file is no database", code};
    case SQLITE_CANTOPEN:
      return {Code::Io, "the database cannot be opened", code};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {Code::Io, "the database cannot be written: permission denied", code};
    case SQLITE_CONSTRAINT:
      return {Code::InvalidArgument, "the same row was written twice", code};
    case SQLITE_TOOBIG:
      return {Code::InvalidArgument, "a blob is larger than SQLite takes", code};
    case SQLITE_ERROR:
      return {Code::Corrupt, "the tables of the database are not as weir left them", code};
    default:
      return {Code::Io, "reading or writing the database failed", code};
  }
}

}  // namespace weir
