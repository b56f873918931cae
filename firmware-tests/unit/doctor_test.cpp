// weir doctor: its rules on both sides of each limit, and its looks at a machine that is a folder.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/app/doctor.h"
#include "agent/app/doctor_judge.h"
#include "agent/base/clock.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

constexpr const char* good_unit =
    "[Unit]\nDescription=x\n[Service]\nType=notify\nUser=weir\nStateDirectory=weir\nWatchdogSec=30\nRestart=on-failure\n"
    "RestartPreventExitStatus=78 65\nProtectSystem=strict\nNoNewPrivileges=yes\n";

class ToldClock final : public Clock {
 public:
  Now now() override { return {1000, wall_ms}; }
  ClockSync sync() override { return state; }
  int64_t wall_ms = earliest_plausible_wall_ms;
  ClockSync state = ClockSync::Synchronised;
};

TEST_GROUP(Doctor) {
  TemporaryDirectory directory;
  ToldClock clock;
  LoadedConfig config;
  Host host;

  void setup() override {
    host.root = directory.path();
    host.config = &config;
    host.clock = &clock;
    host.user = {"weir", 4242, 4242};
    config.specification.agent.state_dir = "/var/lib/weir";
  }

  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(host.path(path)).parent_path());
    CHECK_TRUE(write_whole_file(host.path(path), text).ok());
  }
  void make(const std::string& path, unsigned mode = 0755) {
    std::filesystem::create_directories(host.path(path));
    LONGS_EQUAL(0, chmod(host.path(path).c_str(), mode));
  }
  std::vector<Finding> look(DoctorCheck check) {
    std::vector<Finding> findings;
    check(host, findings);
    return findings;
  }
  /// That the check has found one thing.
  void finds(DoctorCheck check, Verdict verdict, const char* part) {
    const std::vector<Finding> findings = look(check);
    UNSIGNED_LONGS_EQUAL(1, findings.size());
    is(findings[0], verdict, part);
  }
  void is(const Finding& finding, Verdict verdict, const char* part) {
    STRCMP_CONTAINS(part, (finding.found + " | " + finding.advice).c_str());
    STRCMP_EQUAL_TEXT(verdict_name(verdict), verdict_name(finding.verdict), part);
  }
  Finding file_system(const char* type, const char* options = "rw,relatime") {
    return judge_file_system("/d", mount_of("x / " + std::string(type) + " " + options + " 0 0\n", "/d"));
  }
};

TEST(Doctor, finds_the_file_system_that_holds_a_path) {
  const char* mounts =
      "root / ext4 rw 0 0\ntmp /var tmpfs rw 0 0\nx /var/li ext3 rw 0 0\ny /with\\040space vfat ro 0 0\nz /var f2fs rw 0 "
      "0\nbad\n";
  STRCMP_EQUAL("ext4", mount_of(mounts, "/home").type.c_str());
  STRCMP_EQUAL("f2fs", mount_of(mounts, "/var/lib").type.c_str());  // the later of two covers the other
  STRCMP_EQUAL("ext3", mount_of(mounts, "/var/li").type.c_str());
  STRCMP_EQUAL("vfat", mount_of(mounts, "/with space/x").type.c_str());
  STRCMP_EQUAL("", mount_of("", "/").type.c_str());
}

TEST(Doctor, knows_file_systems_that_lose_state) {
  is(file_system("ext4"), Verdict::Ok, "ext4");
  is(file_system("f2fs", "rw,barrier=1"), Verdict::Ok, "f2fs");
  is(file_system("ext4", "ro,relatime"), Verdict::Fail, "read-only");
  is(file_system("ext4", "rw,nobarrier"), Verdict::Fail, "barriers");
  is(file_system("ext4", "rw,barrier=0"), Verdict::Fail, "barriers");
  is(file_system("tmpfs"), Verdict::Fail, "after a boot");
  is(file_system("nfs4"), Verdict::Fail, "local");
  is(file_system("fuse.sshfs"), Verdict::Fail, "local");
  is(file_system("vfat"), Verdict::Warn, "power cut");
  is(file_system("overlay"), Verdict::Warn, "volume");
}

TEST(Doctor, compares_room_with_what_may_be_kept) {
  is(judge_space("/d", 100, 100), Verdict::Ok, "1 MiB free");
  is(judge_space("/d", 99, 100), Verdict::Warn, "make room");
}

TEST(Doctor, reads_the_wear_of_an_emmc) {
  is(judge_wear("the eMMC", "0x01 0x07\n", "0x01\n"), Verdict::Ok, "up to 70 %");
  is(judge_wear("the eMMC", "0x08 0x01\n", "0x01\n"), Verdict::Warn, "up to 80 %");
  is(judge_wear("the eMMC", "0x0a 0x01\n", "0x01\n"), Verdict::Warn, "up to 100 %");
  is(judge_wear("the eMMC", "0x0b 0x01\n", "0x01\n"), Verdict::Fail, "worn out");
  is(judge_wear("the eMMC", "0x01 0x01\n", "0x02\n"), Verdict::Warn, "up to 10 %");
  is(judge_wear("the eMMC", "0x01 0x01\n", "0x03\n"), Verdict::Fail, "worn out");
  is(judge_wear("the SD card", "", ""), Verdict::Ok, "does not tell");
}

TEST(Doctor, compares_memory_with_what_there_is_and_what_the_unit_allows) {
  is(judge_memory(100, 100, 100), Verdict::Ok, "available");
  is(judge_memory(100, 99, 0), Verdict::Warn, "smaller");
  is(judge_memory(100, 1000, 99), Verdict::Fail, "MemoryMax");
  is(judge_memory(100, 0, 0), Verdict::Warn, "cannot be told");
}

TEST(Doctor, knows_settings_of_mosquitto_that_lose_messages) {
  UNSIGNED_LONGS_EQUAL(0, judge_mosquitto(read_whole_file(WEIR_SOURCE_DIR "/configs/mosquitto.conf")).size());
  UNSIGNED_LONGS_EQUAL(3, judge_mosquitto("").size());
  const char* all = "persistence true\nmax_queued_messages 5\nautosave_interval 5\n";
  UNSIGNED_LONGS_EQUAL(0, judge_mosquitto(all).size());
  const auto forgets = judge_mosquitto(std::string(all) + "persistent_client_expiration 1d\n");
  UNSIGNED_LONGS_EQUAL(1, forgets.size());
  is(forgets[0], Verdict::Warn, "after 1d");
  UNSIGNED_LONGS_EQUAL(1, judge_mosquitto(std::string(all) + "persistence false\n").size());  // the last one counts
}

TEST(Doctor, the_unit_that_ships_is_right_when_it_is_enabled) {
  make("/run/systemd/system");
  finds(check_host_unit, Verdict::Warn, "no weir.service");
  put("/lib/systemd/system/weir.service", read_whole_file(WEIR_SOURCE_DIR "/configs/weir.service"));
  make("/etc/systemd/system/multi-user.target.wants");
  finds(check_host_unit, Verdict::Warn, "not enabled");
  std::filesystem::create_symlink("/lib/systemd/system/weir.service",
                                  host.path("/etc/systemd/system/multi-user.target.wants/weir.service"));
  finds(check_host_unit, Verdict::Ok, "enabled");
}

TEST(Doctor, a_drop_in_that_loosens_the_unit_is_seen) {
  make("/run/systemd/system");
  put("/lib/systemd/system/weir.service", good_unit);
  make("/etc/systemd/system/multi-user.target.wants");
  std::filesystem::create_symlink("/lib/systemd/system/weir.service",
                                  host.path("/etc/systemd/system/multi-user.target.wants/weir.service"));
  finds(check_host_unit, Verdict::Ok, "enabled");
  for (const char* setting : {"Type=simple", "Restart=no", "WatchdogSec=0", "WatchdogSec=", "RestartPreventExitStatus=65",
                              "User=root", "ProtectSystem=no", "NoNewPrivileges=no"}) {
    put("/etc/systemd/system/weir.service.d/own.conf", std::string("# mine\n[Service]\n ") + setting + "\n");
    const std::vector<Finding> findings = look(check_host_unit);
    UNSIGNED_LONGS_EQUAL_TEXT(1, findings.size(), setting);
    is(findings[0], Verdict::Warn, std::string(setting, strcspn(setting, "=")).c_str());
  }
}

TEST(Doctor, settings_merge_as_systemd_merges_them) {
  put("/lib/systemd/system/weir.service", good_unit);
  put("/etc/systemd/system/weir.service.d/10.conf", "[Service]\nMemoryMax = 17M\n[Unit]\nMemoryMax=1\n");
  put("/usr/lib/systemd/system/weir.service.d/20.conf", "[Service]\nMemoryMax=5M\n");  // /etc is stronger
  put("/etc/systemd/system/weir.service.d/30.txt", "[Service]\nMemoryMax=6M\n");
  const UnitSettings unit(host);
  STRCMP_EQUAL("17M", unit.get("Service", "MemoryMax").c_str());
  STRCMP_EQUAL("", unit.get("Service", "Nice").c_str());
  put("/etc/systemd/system/weir.service", "[Service]\nUser=other\n");
  STRCMP_EQUAL("other", UnitSettings(host).get("Service", "User").c_str());
}

TEST(Doctor, where_there_is_no_systemd_it_names_the_supervisor) { finds(check_host_unit, Verdict::Ok, "supervise"); }

TEST(Doctor, finds_the_user_in_the_units_settings) {
  put("/lib/systemd/system/weir.service", good_unit);
  put("/etc/passwd", "root:x:0:0::/:\nweirdo:x:1:1::/:\nweir:x:990:991::/:/bin/false\n");
  const HostUser user = user_of(host, UnitSettings(host));
  STRCMP_EQUAL("weir", user.name.c_str());
  UNSIGNED_LONGS_EQUAL(990, user.uid);
  UNSIGNED_LONGS_EQUAL(991, user.gid);
  put("/etc/passwd", "weirdo:x:1:1::/:\n");
  CHECK_TRUE(user_of(host, UnitSettings(host)).uid == UINT64_MAX);
}

TEST(Doctor, says_what_keeps_the_user_from_a_file) {
  put("/etc/weir/weir.toml", "");
  LONGS_EQUAL(0, chmod(host.path("/etc/weir/weir.toml").c_str(), 0640));
  host.config_paths = {"/etc/weir/weir.toml"};
  make("/var/lib/weir", 0777);
  STRCMP_CONTAINS("/etc/weir/weir.toml (mode 0640", obstacle(host, host.user, "/etc/weir/weir.toml", 4).c_str());
  CHECK_TRUE(look(check_host_files)[0].verdict == Verdict::Fail);
  host.user.gid = getegid();
  STRCMP_EQUAL("", obstacle(host, host.user, "/etc/weir/weir.toml", 4).c_str());
  host.user.gid = 4242;
  make("/etc/weir", 0700);
  STRCMP_CONTAINS("/etc/weir (mode 0700", obstacle(host, host.user, "/etc/weir/weir.toml", 4).c_str());
  STRCMP_CONTAINS("/etc/none is not there", obstacle(host, host.user, "/etc/none/x", 4).c_str());
  host.user.uid = 0;
  STRCMP_EQUAL("", obstacle(host, host.user, "/etc/weir/weir.toml", 6).c_str());
}

TEST(Doctor, looks_at_the_state_directory_and_at_passwords) {
  make("/var/lib/weir", 0770);
  finds(check_host_files, Verdict::Fail, "cannot write to the state directory");
  host.user = {"weir", geteuid() + 1ULL, getegid()};
  finds(check_host_files, Verdict::Ok, "can read the configuration");
  make("/var/lib/weir", 0774);
  finds(check_host_files, Verdict::Warn, "can look into");
  make("/var/lib/weir", 0770);
  MqttSpec mqtt;
  mqtt.password_file = "/etc/weir/password";
  config.specification.mqtt.push_back(mqtt);
  finds(check_host_files, Verdict::Fail, "/etc is not there | put the password into it");
  put("/etc/weir/password", "secret");
  LONGS_EQUAL(0, chmod(host.path("/etc/weir/password").c_str(), 0600));
  finds(check_host_files, Verdict::Fail, "cannot read the password file");
  LONGS_EQUAL(0, chmod(host.path("/etc/weir/password").c_str(), 0644));
  finds(check_host_files, Verdict::Warn, "every user can read");
  LONGS_EQUAL(0, chmod(host.path("/etc/weir/password").c_str(), 0640));
  finds(check_host_files, Verdict::Ok, "can read the configuration");
}

TEST(Doctor, a_state_directory_that_the_unit_makes_need_not_be_there) {
  make("/var/lib", 0755);
  finds(check_host_files, Verdict::Fail, "cannot make the state directory");
  put("/lib/systemd/system/weir.service", good_unit);
  finds(check_host_files, Verdict::Ok, "can read");
}

TEST(Doctor, knows_a_clock_that_was_never_set) {
  finds(check_host_clock, Verdict::Ok, "is synchronised");
  clock.state = ClockSync::Unsynchronised;
  finds(check_host_clock, Verdict::Warn, "is not synchronised");
  clock.state = ClockSync::Unknown;
  finds(check_host_clock, Verdict::Ok, "may not be asked");
  --clock.wall_ms;
  finds(check_host_clock, Verdict::Fail, "never set");
}

TEST(Doctor, asks_the_disk_that_holds_the_state) {
  make("/var/lib/weir");
  struct stat status {};
  LONGS_EQUAL(0, stat(host.path("/var/lib/weir").c_str(), &status));
  const std::string block =
      "/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
  finds(check_host_flash, Verdict::Ok, "no SD card or eMMC");
  put(block + "/../device/type", "MMC\n");
  put(block + "/../device/name", "8GTF4R\n");
  put(block + "/../device/life_time", "0x09 0x01\n");
  make(block);
  finds(check_host_flash, Verdict::Warn, "the eMMC 8GTF4R has used up to 90 %");
  put(block + "/device/type", "SD\n");
  finds(check_host_flash, Verdict::Ok, "the SD card does not tell");
}

TEST(Doctor, tells_a_missing_configuration_from_a_wrong_one) {
  host.config_paths = {"/etc/weir/weir.toml"};
  finds(check_host_config, Verdict::Fail, "there is no /etc/weir/weir.toml");
  put("/etc/weir/weir.toml", "");
  finds(check_host_config, Verdict::Ok, "pipelines: 0");
  config.diagnostics.warning({}, 1, "odd");
  finds(check_host_config, Verdict::Warn, "1 warnings");
  config.diagnostics.error({}, 1, "wrong");
  finds(check_host_config, Verdict::Fail, "1 error: wrong");
}

TEST(Doctor, says_why_a_broker_cannot_be_reached) {
  MqttSpec mqtt;
  mqtt.name = "local";
  mqtt.host = "127.0.0.1";
  mqtt.port = 1;
  config.specification.mqtt.push_back(mqtt);
  finds(check_host_broker, Verdict::Fail, "mqtt.local at 127.0.0.1 port 1: Connection refused");
}

}  // namespace
