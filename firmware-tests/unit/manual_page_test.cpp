#include "agent/config/manual_page.h"

#include <string>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ManualPage) {
  const ManualHead head = {"weir.toml", "5", "1.2.3", "settings"};

  /// What stands below the head of the page.
  std::string body(const std::string& markdown) const {
    const std::string empty = manual_page(head, "");
    const std::string page = manual_page(head, markdown);
    STRNCMP_EQUAL(empty.c_str(), page.c_str(), empty.size());
    return page.substr(empty.size());
  }

  void becomes(const char* expected, const char* markdown) const { STRCMP_EQUAL(expected, body(markdown).c_str()); }
};

TEST(ManualPage, it_begins_with_title_section_version_and_name) {
  STRCMP_EQUAL(".TH WEIR.TOML 5 \"\" \"weir 1.2.3\"\n.SH NAME\nweir.toml \\- settings\n.SH DESCRIPTION\n",
               manual_page(head, "").c_str());
}

TEST(ManualPage, headings_begin_sections_and_the_title_is_left_out) {
  becomes(".SH \"[agent]\"\nText.\n", "# Title\n\n## [agent]\n\nText.\n");
  becomes(".SH \"operator = \\(dqhalve\\(dq\"\n", "## operator = \"halve\"");
}

TEST(ManualPage, an_empty_line_ends_a_paragraph) { becomes("One,\ngoing on.\n.PP\nTwo.\n", "One,\ngoing on.\n\nTwo.\n"); }

TEST(ManualPage, code_is_bold_and_its_minus_can_be_copied) {
  becomes("say \\fB\\-\\-set\\fR once\n", "say `--set` once\n");
  becomes("\\fBopen\\fR\n", "`open\n");
}

TEST(ManualPage, of_a_link_the_text_remains) {
  becomes("see checkpoints.md, and [mqtt].\n", "see [checkpoints.md](checkpoints.md), and [mqtt].\n");
  becomes("[a] then b\n", "[a] then [b](c)\n");
  becomes("\\fB[x](y)\\fR\n", "`[x](y)`\n");
  becomes("[half](open\n", "[half](open\n");
}

TEST(ManualPage, what_roff_would_take_for_a_command_is_text) {
  becomes("\\&.TH not a title\n\\&'quoted\n\\& blank\na\\eb\n", ".TH not a title\n'quoted\n blank\na\\b\n");
}

TEST(ManualPage, a_row_is_a_term_with_its_type_and_its_meaning) {
  becomes(".TP\n\\fBname\\fR\nname; default the host's\n.br\nNames it.\n.TP\n\\fBurl\\fR\nstring; required\n.br\nWhere.\n",
          "| key | type | default | meaning |\n|---|---|---|---|\n| `name` | name | the host's | Names it. |\n"
          "| `url` | string | required | Where. |\n");
  becomes(".TP\n\\fBcontrol\\fR\ntable\n.br\nCommands.\n",
          "| key | type | default | meaning |\n|---|---|---|---|\n| `control` | table |  | Commands. |\n");
}

TEST(ManualPage, a_row_of_two_cells_and_a_bar_within_code) {
  becomes(".TP\n\\fBa | b\\fR\nEither.\n", "| rule | meaning |\n|---|---|\n| `a | b` | Either. |\n");
  becomes("", "|\n");
}

TEST(ManualPage, a_second_table_has_columns_of_its_own) {
  becomes(".TP\na\nb\n.PP\nText.\n.TP\nc\nd\n",
          "| x | y |\n|---|---|\n| a | b |\n\nText.\n\n| v | w |\n|---|---|\n| c | d |\n");
}
