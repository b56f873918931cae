// Payloads as gateways really send them, recorded outside of this tree: found beside it, or the tests skip themselves.
#include <sys/stat.h>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "firmware-tests/unit/json_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::json_test;

namespace {

const std::string folder = WEIR_SOURCE_DIR "/../shared/data/payloads";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_GROUP(RecordedPayloads) {
  bool present(const char* test) {
    struct stat status;
    if (stat(folder.c_str(), &status) == 0) return true;
    printf("skipped: RecordedPayloads %s: no %s\n", test, folder.c_str());
    return false;
  }
  bool decode(Decoding & decoding, const std::string& name) {
    topic_ = read_file(folder + "/" + name + ".topic");
    while (!topic_.empty() && topic_.back() == '\n') topic_.pop_back();
    decoding.message().topic = topic_;
    std::string payload = read_file(folder + "/" + name + ".payload");
    CHECK_TEXT(!payload.empty(), name.c_str());
    return decoding.accepts(payload, '"');
  }
  void takes(Decoding & decoding, const std::string& name) {
    if (!decode(decoding, name)) FAIL((name + " was refused: " + decoding.detail()).c_str());
  }
  std::string topic_;
};

TEST(RecordedPayloads, every_json_document_is_taken_and_all_else_refused) {
  if (!present("every_json_document_is_taken_and_all_else_refused")) return;
  const std::map<std::string, const char*> refused = {{"05_tasmota_broken_json", "json"},  {"06_tasmota_lwt", "json"},
                                                      {"07_tasmota_power_result", "json"}, {"13_shelly1_power", "json"},
                                                      {"14_shelly1_energy", "json"},       {"25_ha_statestream", "json"},
                                                      {"35_influx_line", "json"},          {"36_csv_line", "json"},
                                                      {"39_senml_cbor", "json"},           {"41_emon_raw", "json"}};
  const char* taken[] = {
      "01_tasmota_energy", "02_tasmota_state",  "04_tasmota_tz",   "09_z2m_climate",    "10_z2m_plug_nulls",
      "11_z2m_contact",    "15_shelly2_switch", "17_shelly_3em",   "18_chirpstack4_up", "20_chirpstack4_status",
      "21_chirpstack3_up", "23_rtl433_event",   "26_ha_discovery", "27_zwavejs",        "29_victron",
      "31_thingsboard_gw", "32_ruuvi_gw",       "33_omg_ble",      "38_senml_json",     "40_senml_v01_riotbench"};
  Decoding decoding({field("wanted by nobody", Type::Float)});
  for (const char* name : taken) takes(decoding, name);
  for (const auto& [name, reason] : refused) {
    CHECK_FALSE_TEXT(decode(decoding, name), name.c_str());
    STRCMP_EQUAL_TEXT(reason, decoding.reason().c_str(), name.c_str());
  }
}

TEST(RecordedPayloads, names_with_colons_spaces_and_digits_are_found) {
  if (!present("names_with_colons_spaces_and_digits_are_found")) return;
  Decoding device({at_path(field("t", Type::Float), {{"Device A", -1}, {"", 1}, {"values", -1}, {"temperature", -1}}),
                   at_path(time_field("ts", TimeFormat::Milliseconds), {{"Device B", -1}, {"", 0}, {"ts", -1}})});
  takes(device, "31_thingsboard_gw");
  DOUBLES_EQUAL(43.0, device.value("t").as_float(), 0);
  CHECK_EQUAL(1483228800000, device.value("ts").as_int());

  Decoding sensor(
      {at_path(field("t", Type::Float), {{"object", -1}, {"temperatureSensor", -1}, {"1", -1}}),
       at_path(field("rssi", Type::Int), {{"rxInfo", -1}, {"", 1}, {"rssi", -1}}), time_field("time", TimeFormat::Rfc3339),
       at_path(field("factor", Type::Int), {{"txInfo", -1}, {"modulation", -1}, {"lora", -1}, {"spreadingFactor", -1}}),
       topic_field("eui", Type::String, 3)});
  takes(sensor, "18_chirpstack4_up");
  DOUBLES_EQUAL(25.0, sensor.value("t").as_float(), 0);
  CHECK_EQUAL(-97, sensor.value("rssi").as_int());
  CHECK_EQUAL(1658136855775, sensor.value("time").as_int());
  CHECK_EQUAL(11, sensor.value("factor").as_int());
  CHECK(sensor.value("eui").as_string() == "0101010101010101");

  Decoding sw({topic_field("component", Type::String, 2),
               at_path(field("energy", Type::Float), {{"aenergy", -1}, {"by_minute", -1}, {"", 1}}),
               at_path(time_field("minute", TimeFormat::Seconds), {{"aenergy", -1}, {"minute_ts", -1}})});
  takes(sw, "15_shelly2_switch");
  CHECK(sw.value("component").as_string() == "switch:0");
  DOUBLES_EQUAL(812.5, sw.value("energy").as_float(), 0);
  CHECK_EQUAL(1709223337000, sw.value("minute").as_int());
}

TEST(RecordedPayloads, slashes_and_escapes_in_strings_come_through) {
  if (!present("slashes_and_escapes_in_strings_come_through")) return;
  Decoding decoding({field("devEUI", Type::String), field("objectJSON", Type::String, 128),
                     time_field("publishedAt", TimeFormat::Rfc3339),
                     at_path(time_field("received", TimeFormat::Rfc3339), {{"rxInfo", -1}, {"", 0}, {"time", -1}})});
  takes(decoding, "21_chirpstack3_up");
  CHECK(decoding.value("devEUI").as_string() == "qEBB//8YIuU=");
  CHECK(decoding.value("objectJSON").as_string() == R"({"BatV":3.044,"Temp":"2.84","Hum":"10.0"})");
  CHECK_EQUAL(1637763626242, decoding.value("publishedAt").as_int());
  CHECK_EQUAL(1637763626193, decoding.value("received").as_int());
}

TEST(RecordedPayloads, numbers_in_strings_nulls_and_two_clocks_are_read) {
  if (!present("numbers_in_strings_nulls_and_two_clocks_are_read")) return;
  Decoding contact({field("battery", Type::Float), field("contact", Type::Bool)});
  takes(contact, "11_z2m_contact");
  DOUBLES_EQUAL(100.0, contact.value("battery").as_float(), 0);
  CHECK_FALSE(contact.value("contact").as_bool());

  Decoding plug({field("power", Type::Float), field("current", Type::Float),
                 at_path(field("firmware", Type::Int), {{"update", -1}, {"installed_version", -1}})});
  takes(plug, "10_z2m_plug_nulls");
  CHECK(plug.value("power").is_null());
  DOUBLES_EQUAL(0.42, plug.value("current").as_float(), 0);
  CHECK_EQUAL(65, plug.value("firmware").as_int());

  Decoding ruuvi(
      {time_field("gwts", TimeFormat::Seconds), time_field("ts", TimeFormat::Seconds), topic_field("tag", Type::String, 2)});
  takes(ruuvi, "32_ruuvi_gw");
  CHECK_EQUAL(1728719836000, ruuvi.value("gwts").as_int());
  CHECK_EQUAL(1728719835000, ruuvi.value("ts").as_int());
  CHECK(ruuvi.value("tag").as_string() == "F4:1F:0C:28:CB:D6");

  Decoding phases({field("c_act_power", Type::Float), field("n_current", Type::Float), field("id", Type::Int)});
  takes(phases, "17_shelly_3em");
  DOUBLES_EQUAL(-770.0, phases.value("c_act_power").as_float(), 0);
  CHECK(phases.value("n_current").is_null());
  CHECK_EQUAL(0, phases.value("id").as_int());
}

TEST(RecordedPayloads, documents_that_are_arrays_are_read_by_index) {
  if (!present("documents_that_are_arrays_are_read_by_index")) return;
  Decoding pack({at_path(field("v", Type::Float), {{"", 6}, {"v", -1}}),
                 at_path(time_field("base", TimeFormat::Seconds), {{"", 0}, {"bt", -1}}), field("v2", Type::Float)});
  takes(pack, "38_senml_json");
  DOUBLES_EQUAL(1.7, pack.value("v").as_float(), 0);
  CHECK_EQUAL(1276020076001, pack.value("base").as_int());
  CHECK(pack.value("v2").is_null());

  Decoding old({at_path(field("longitude", Type::Float), {{"e", -1}, {"", 1}, {"v", -1}}),
                at_path(time_field("ts", TimeFormat::Milliseconds), {{"bt", -1}})});
  takes(old, "40_senml_v01_riotbench");
  DOUBLES_EQUAL(6.1668213, old.value("longitude").as_float(), 0);
  CHECK_EQUAL(1422748800000, old.value("ts").as_int());
}

TEST(RecordedPayloads, local_times_without_an_offset_are_refused_and_told_so) {
  if (!present("local_times_without_an_offset_are_refused_and_told_so")) return;
  Decoding tasmota({time_field("Time", TimeFormat::Rfc3339)});
  for (const char* name : {"01_tasmota_energy", "02_tasmota_state"}) {
    CHECK_FALSE(decode(tasmota, name));
    STRCMP_EQUAL("time", tasmota.reason().c_str());
    STRCMP_CONTAINS("offset", tasmota.detail().c_str());
  }
  takes(tasmota, "04_tasmota_tz");
  CHECK_EQUAL(1624799024000, tasmota.value().as_int());
  Decoding radio({time_field("time", TimeFormat::Rfc3339)});
  CHECK_FALSE(decode(radio, "23_rtl433_event"));
  STRCMP_CONTAINS("offset", radio.detail().c_str());
}
