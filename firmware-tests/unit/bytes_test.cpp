#include "agent/base/bytes.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Bytes) { uint8_t memory[16] = {}; };

TEST(Bytes, reads_back_what_was_written) {
  ByteWriter writer(memory);
  writer.put(uint16_t{0x1234});
  writer.put_sized("weir");
  ByteReader reader(writer.bytes());
  UNSIGNED_LONGS_EQUAL(0x1234, reader.get<uint16_t>());
  CHECK(reader.get_sized_text() == "weir");
  CHECK(reader.ok());
  CHECK(reader.at_end());
}

TEST(Bytes, a_writer_remembers_that_it_ran_out_of_room) {
  ByteWriter writer(memory);
  for (int i = 0; i < 3; ++i) writer.put(uint64_t{1});
  CHECK(writer.overflowed());
  UNSIGNED_LONGS_EQUAL(16, writer.size());
}

TEST(Bytes, a_reader_past_the_end_yields_zeros_and_says_so) {
  ByteReader reader(Bytes(memory, 3));
  UNSIGNED_LONGS_EQUAL(0, reader.get<uint32_t>());
  CHECK_FALSE(reader.ok());
}

TEST(Bytes, a_hostile_length_is_an_error_not_an_overrun) {
  ByteWriter writer(memory);
  writer.put(uint32_t{0xFFFFFFFF});
  ByteReader reader(writer.bytes());
  CHECK(reader.get_sized().empty());
  CHECK_FALSE(reader.ok());
}
