#include <sqlite3.h>

#include <fstream>

#include "agent/model/background.h"
#include "connectors/file/csv_rows.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(LookupStep) {
  std::string options = "add = { site = \"string(8)\" }";
  std::unique_ptr<StepRig> rig;

  void make(const std::string& csv) {
    rig = std::make_unique<StepRig>(
        "[[pipeline.step]]\nid = \"l\"\nlookup = { file = \"devices.csv\", on = [\"device\"], " + options + " }\n", csv);
  }
  std::string give(const char* device, int64_t time_ms) {
    rig->feed("{\"device\":\"" + std::string(device) + "\",\"value\":1,\"ts\":" + std::to_string(time_ms) + "}");
    return rig->take_output();
  }
  void rewrite(const std::string& text) {
    std::ofstream(rig->file("new.csv")) << text;
    rename_over();
  }
  void rename_over() { CHECK(rename(rig->file("new.csv").c_str(), rig->file("devices.csv").c_str()) == 0); }
  void says(const std::string& csv, const std::string& problem) {
    make(csv);
    STRCMP_CONTAINS(problem.c_str(), rig->problems().c_str());
  }
  void execute(const std::string& path, const char* sql) {
    sqlite3* connection = nullptr;
    LONGS_EQUAL(SQLITE_OK, sqlite3_open(path.c_str(), &connection));
    LONGS_EQUAL(SQLITE_OK, sqlite3_exec(connection, sql, nullptr, nullptr, nullptr));
    sqlite3_close(connection);
  }
};

TEST(LookupStep, reads_a_changed_file_again_when_it_is_time_to_look) {
  make("device,site\na,north\n");
  STRCMP_EQUAL("", rig->problems().c_str());
  STRCMP_CONTAINS("north", give("a", 0).c_str());
  rewrite("device,site\na,south\nb,west\n");
  STRCMP_CONTAINS("north", give("a", 9'999).c_str());
  STRCMP_CONTAINS("south", give("a", 10'000).c_str());
  STRCMP_CONTAINS("west", give("b", 10'001).c_str());
}

TEST(LookupStep, a_bad_new_file_leaves_the_old_table_in_use) {
  make("device,site\na,north\n");
  give("a", 0);
  rewrite("device,site\na,south\nb,much too long\n");
  STRCMP_CONTAINS("north", give("a", 20'000).c_str());
  CHECK(remove(rig->file("devices.csv").c_str()) == 0);
  STRCMP_CONTAINS("north", give("a", 40'000).c_str());
  rewrite("device,site\na,east\n");
  STRCMP_CONTAINS("east", give("a", 60'000).c_str());
}

namespace {

/// A thread that works and announces when the test says so.
struct HandExecutor final : BackgroundExecutor {
  void submit(BackgroundJob& job) override { jobs.push_back(&job); }
  void work() { jobs.at(0)->work(); }
  void announce() {
    BackgroundJob* job = jobs.at(0);
    jobs.erase(jobs.begin());
    job->done({});
  }
  std::vector<BackgroundJob*> jobs;
};

}  // namespace

TEST(LookupStep, another_thread_reads_a_changed_file_and_the_old_table_serves_until_it_is_whole) {
  HandExecutor thread;
  make("device,site\na,north\n");
  rig->graph().connect_background(thread);
  give("a", 0);
  thread.work();
  thread.announce();
  rewrite("device,site\na,south\n");
  STRCMP_CONTAINS("north", give("a", 10'000).c_str());
  UNSIGNED_LONGS_EQUAL(1, thread.jobs.size());
  // Slower than the interval: nobody looks twice at a time.
  STRCMP_CONTAINS("north", give("a", 90'000).c_str());
  UNSIGNED_LONGS_EQUAL(1, thread.jobs.size());
  thread.work();
  STRCMP_CONTAINS("north", give("a", 90'001).c_str());
  thread.announce();
  STRCMP_CONTAINS("south", give("a", 90'002).c_str());
}

TEST(LookupStep, another_thread_that_cannot_read_the_file_leaves_the_old_table) {
  HandExecutor thread;
  make("device,site\na,north\n");
  rig->graph().connect_background(thread);
  int64_t now_ms = 0;
  for (const char* csv : {"device,site\na,south\na,twice\n", "device\na\n"}) {
    rewrite(csv);
    give("a", now_ms += 20'000);
    thread.work();
    thread.announce();
    STRCMP_CONTAINS("north", give("a", now_ms + 1).c_str());
  }
  rewrite("device,site\na,east\n");
  give("a", 200'000);
  thread.work();
  thread.announce();
  STRCMP_CONTAINS("east", give("a", 200'001).c_str());
}

TEST(LookupStep, a_file_that_is_never_looked_at_again_stays) {
  options += ", check = \"0s\"";
  make("device,site\na,north\n");
  give("a", 0);
  rewrite("device,site\na,south\n");
  STRCMP_CONTAINS("north", give("a", 90'000'000).c_str());
}

TEST(LookupStep, what_has_no_row_goes_on_is_dropped_or_is_set_aside) {
  make("device,site\na,north\n");
  STRCMP_CONTAINS("\"site\":null", give("x", 0).c_str());
  options += ", missing = \"drop\"";
  make("device,site\na,north\n");
  STRCMP_EQUAL("", give("x", 0).c_str());
  UNSIGNED_LONGS_EQUAL(1, rig->counts().filtered);
  options += "\n";
  options.replace(options.find("drop"), 4, "dead-letter");
  options.pop_back();
  make("device,site\na,north\n");
  STRCMP_EQUAL("refused l lookup\n", give("x", 0).c_str());
}

TEST(LookupStep, a_null_finds_the_row_with_an_empty_key) {
  make("device,site\n,nobody\na,north\n");
  rig->feed("{\"value\":1,\"ts\":0}");
  STRCMP_CONTAINS("nobody", rig->take_output().c_str());
}

TEST(LookupStep, takes_as_many_rows_as_max_rows_says) {
  options += ", max_rows = 2";
  make("device,site\na,1\nb,2\n");
  STRCMP_EQUAL("", rig->problems().c_str());
  says("device,site\na,1\nb,2\nc,3\n", "devices.csv:4: there are more rows than max_rows");
}

TEST(LookupStep, says_what_is_wrong_with_a_file) {
  says("", "cannot read");
  says("serial,site\na,1\n", "devices.csv:1: there is no column \"device\"");
  says("device,place\na,1\n", "devices.csv:1: there is no column \"site\"");
  says("device,site\na,1\n\na,2\n", "devices.csv:4: an earlier row has the same key");
  says("device,site\na,\"1\n", "devices.csv:2: the file ends inside quotes");
  says("device,site\na,too long a text\n", "devices.csv:2: ");
  says(std::string("device,site\n") + std::string(300'000, 'x'), "is larger than max_bytes, 262144");
  options = "add = { limit = \"float\" }";
  says("device,limit\na,warm\n", "devices.csv:2: limit: expected float, got \"warm\"");
}

TEST(LookupStep, says_what_is_wrong_with_its_options) {
  options = "add = { site = \"strin(8)\" }";
  says("device,site\na,1\n", "\"site\" is no type: strin(8)");
  options = "add = { value = \"float\" }";
  says("device,value\na,1\n", "two fields would be called \"value\"");
  options = "columns = [\"a\", \"b\"]";
  says("device\na\n", "\"columns\" names as many columns as \"on\" names fields");
  options = "on = [\"devise\"]";
  rig = std::make_unique<StepRig>("[[pipeline.step]]\nlookup = { file = \"devices.csv\", on = [\"devise\"] }\n", "device\na\n");
  STRCMP_CONTAINS("did you mean \"device\"?", rig->problems().c_str());
}

TEST(LookupStep, reads_a_table_of_a_database_and_sees_its_changes) {
  TemporaryDirectory directory;
  const std::string path = directory.file("d.sqlite");
  execute(path,
          "CREATE TABLE devices(serial TEXT, site TEXT, limit_c REAL, n INTEGER, good INTEGER);"
          "INSERT INTO devices VALUES('a', 'north', 60.5, 3, 1), ('b', NULL, 7, NULL, 0)");
  rig = std::make_unique<StepRig>(
      "[[pipeline.step]]\nlookup = { file = \"" + path +
      "\", table = \"devices\", on = [\"device\"], columns = [\"serial\"], add = { site = \"string(8)\", limit = "
      "\"float limit_c\", n = \"int\", good = \"bool\" } }\n");
  STRCMP_EQUAL("", rig->problems().c_str());
  STRCMP_CONTAINS("\"site\":\"north\",\"limit\":60.5,\"n\":3,\"good\":true", give("a", 0).c_str());
  STRCMP_CONTAINS("\"site\":null,\"limit\":7,\"n\":null,\"good\":false", give("b", 1).c_str());
  execute(path, "UPDATE devices SET site = 'south' WHERE serial = 'a'");
  STRCMP_CONTAINS("south", give("a", 20'000).c_str());
  execute(path, "UPDATE devices SET n = 'many' WHERE serial = 'a'; UPDATE devices SET site = 'east'");
  STRCMP_CONTAINS("south", give("a", 40'000).c_str());
}

TEST(LookupStep, says_what_is_wrong_with_a_database) {
  TemporaryDirectory directory;
  const std::string path = directory.file("d.sqlite");
  auto problems = [&](const std::string& table) {
    return StepRig("[[pipeline.step]]\nlookup = { file = \"" + path + "\", table = \"" + table +
                   "\", on = [\"device\"], add = { n = \"int\" } }\n")
        .problems();
  };
  STRCMP_CONTAINS("unable to open database file", problems("t").c_str());
  execute(path, "CREATE TABLE t(device TEXT, n INTEGER); INSERT INTO t VALUES('a', 'x')");
  STRCMP_CONTAINS("no such table: u", problems("u").c_str());
  STRCMP_CONTAINS("row 1 of t: n is no int", problems("t").c_str());
  std::ofstream(path) << "this is no database, and long enough to be looked at as one, more or less as it is";
  STRCMP_CONTAINS("file is not a database", problems("t").c_str());
}

TEST_GROUP(CsvRows){std::string read(std::string text){CsvRows rows(text);
CsvCell cells[3];
std::string all;
for (size_t count = 0; rows.next(cells, count);) {
  all += std::to_string(rows.line()) + ":";
  for (size_t index = 0; index < std::min<size_t>(count, 3); ++index)
    all += (cells[index].quoted ? "'" : "|") + std::string(cells[index].text);
  all += " " + std::to_string(count) + "\n";
}
return all + (rows.unfinished() ? "unfinished" : "");
}
}
;

TEST(CsvRows, takes_rows_apart) {
  STRCMP_EQUAL("1:|a|b 2\n2:|| 2\n3:|1 1\n", read("a,b\n,\n1").c_str());
  STRCMP_EQUAL("1:|a|b 2\n3:|c 1\n", read("\xEF\xBB\xBF"
                                          "a,b\r\n\r\nc\r\n")
                                         .c_str());
  STRCMP_EQUAL("1:|a|b|c 5\n", read("a,b,c,d,e").c_str());
  STRCMP_EQUAL("", read("").c_str());
  STRCMP_EQUAL("", read("\n\n").c_str());
}

TEST(CsvRows, quotes_hold_commas_quotes_and_line_breaks) {
  STRCMP_EQUAL("1:'a,\"b\"\nc|d 2\n3:'|x 2\n", read("\"a,\"\"b\"\"\nc\",d\n\"\",x\n").c_str());
  STRCMP_EQUAL("1:|a'b 2\nunfinished", read("a,\"b").c_str());
}
