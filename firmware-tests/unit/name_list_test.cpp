#include "agent/base/name_list.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(NameList){static bool is_short(std::string_view name){return name.size() < 4;
}
}
;

TEST(NameList, has_the_names_between_the_blanks) {
  constexpr NameList names("run  stop check ");
  static_assert(names.has("run") && names.has("stop") && names.has("check"));
  static_assert(!names.has("sto") && !names.has("stop ") && !names.has("run stop"));
  static_assert(!names.has(""));
  CHECK_TRUE(names.has("stop"));
}

TEST(NameList, an_empty_one_has_none) {
  CHECK_FALSE(NameList("").has(""));
  CHECK_FALSE(NameList("").has("run"));
  CHECK_FALSE(NameList("  ").has(""));
}

TEST(NameList, asks_about_each_name_and_no_blanks) {
  CHECK_TRUE(NameList("").all([](std::string_view) { return false; }));
  CHECK_TRUE(NameList(" a  b ").all(is_short));
  CHECK_FALSE(NameList("a four b").all(is_short));
}
