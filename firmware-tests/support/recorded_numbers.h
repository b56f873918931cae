// Columns of numbers from recordings that lie beside this tree; nothing where they are absent.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace weir::test {

inline std::string recorded_data_folder() { return WEIR_SOURCE_DIR "/../shared/data/"; }

/// The cells of a line.
inline std::vector<std::string> cells_of(const std::string& line, char separator) {
  std::vector<std::string> cells;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, separator);) cells.push_back(cell);
  return cells;
}

/// The numbers of one column, what is no number left out; grouped by the text of column `group`, or all in one where it is
/// negative.
inline std::map<std::string, std::vector<double>> recorded_column(const std::string& file, char separator, size_t column,
                                                                  int group = -1) {
  std::map<std::string, std::vector<double>> found;
  std::ifstream input(recorded_data_folder() + file);
  for (std::string line; std::getline(input, line);) {
    // Where cells are not divided by commas, commas divide whole from fraction.
    if (separator != ',') std::ranges::replace(line, ',', '.');
    const std::vector<std::string> cells = cells_of(line, separator);
    if (cells.size() <= column) continue;
    char* end = nullptr;
    const double number = strtod(cells[column].c_str(), &end);
    if (end == cells[column].c_str()) continue;
    const std::string name = group < 0 ? "column " + std::to_string(column) : cells[static_cast<size_t>(group)];
    found[file + " " + name].push_back(number);
  }
  return found;
}

/// Series of measurements of all kinds, by name.
inline std::map<std::string, std::vector<double>> recorded_numbers() {
  std::map<std::string, std::vector<double>> all;
  for (const char* file : {"nab/ambient_temperature_system_failure.csv", "nab/machine_temperature_system_failure.csv",
                           "nab/occupancy_t4013.csv", "nab/speed_t4013.csv"})
    all.merge(recorded_column(file, ',', 1));
  for (size_t column = 5; column <= 13; ++column) all.merge(recorded_column("nycweather/weather.csv", ',', column));
  all.merge(recorded_column("n2k/dirona.csv", ',', 5, 4));
  for (size_t column = 1; column <= 6; ++column) all.merge(recorded_column("solar/raw/20161228.csv", '\t', column));
  return all;
}

}  // namespace weir::test
