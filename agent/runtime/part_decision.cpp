#include "agent/runtime/part_decision.h"

#include <algorithm>

#include "agent/base/json_string.h"

namespace weir {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string padded(std::string text, size_t width) {
  // At least two blanks part it from the next column.
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

size_t widest(const std::vector<std::string>& lines) {
  size_t width = 0;
  for (const std::string& line : lines) width = std::max(width, line.size());
  return width;
}

/// Lines of both, those that are the same next to each other; the others marked with a !.
std::string side_by_side(const std::string& stored, const std::string& wanted) {
  const std::vector<std::string> left = lines_of(stored);
  const std::vector<std::string> right = lines_of(wanted);
  const size_t width = std::max<size_t>(widest(left), 6) + 4;
  std::string text = "    " + padded("stored", width) + "configured\n";
  auto row = [&](const std::string& one, const std::string& other) {
    text += (one == other ? "    " : "  ! ") + (other.empty() ? one : padded(one, width) + other) + "\n";
  };
  size_t next = 0;
  for (const std::string& line : left) {
    const auto same = std::find(right.begin() + static_cast<ptrdiff_t>(next), right.end(), line);
    if (same == right.end()) {
      row(line, "");
      continue;
    }
    for (; next < static_cast<size_t>(same - right.begin()); ++next) row("", right[next]);
    row(line, right[next++]);
  }
  for (; next < right.size(); ++next) row("", right[next]);
  return text;
}

std::string remarks_of(const PartDecision& decision) {
  std::string text;
  if (!decision.stored_uid.empty()) text = "stored as \"" + decision.stored_uid + "\"";
  for (const LayoutDifference& difference : decision.differences) {
    // Of what cannot be converted only that is said which is to blame.
    if (decision.fate == PartFate::Incompatible && difference.lossless) continue;
    text += (text.empty() ? "" : "; ") + difference.text;
  }
  if (!decision.problem.empty()) text += (text.empty() ? "" : "; ") + decision.problem;
  if (decision.fate == PartFate::Orphan)
    text = decision.refused ? "has no step; refused without --allow-non-restored-state" : "has no step; kept for its return";
  return text;
}

}  // namespace

const char* part_fate_name(PartFate fate) {
  constexpr const char* names[] = {"match", "converted", "new", "returned", "orphan", "incompatible"};
  return names[static_cast<size_t>(fate)];
}

PartDecision decide_part(std::string_view uid, std::string_view stored, std::string_view wanted) {
  PartDecision decision;
  decision.uid = uid;
  decision.fate = PartFate::Match;
  if (stored == wanted) return decision;
  decision.stored = stored;
  decision.wanted = wanted;
  decision.fate = PartFate::Incompatible;
  Result<StateLayout> from = StateLayout::parse(stored);
  Result<StateLayout> to = StateLayout::parse(wanted);
  if (from.ok() && to.ok()) {
    const StateConversion conversion(std::move(from.value()), std::move(to.value()));
    decision.differences = conversion.differences();
    if (conversion.possible()) decision.fate = PartFate::Converted;
  } else {
    decision.problem = "the stored description cannot be read";
  }
  decision.refused = decision.fate == PartFate::Incompatible;
  return decision;
}

std::string decisions_table(const PartDecisions& decisions) {
  size_t width = 4;
  for (const PartDecision& decision : decisions) width = std::max(width, decision.uid.size());
  std::string text = "  " + padded("part", width + 2) + "state\n";
  for (const PartDecision& decision : decisions) {
    const std::string remarks = remarks_of(decision);
    const std::string fate = part_fate_name(decision.fate);
    text += "  " + padded(decision.uid, width + 2) + (remarks.empty() ? fate : padded(fate, 14) + remarks) + "\n";
  }
  return text;
}

std::string decisions_json(const PartDecisions& decisions) {
  std::string text = "[";
  for (const PartDecision& decision : decisions) {
    text += text.size() > 1 ? "," : "";
    text += "{\"part\":" + json_string(decision.uid) + ",\"state\":\"" + part_fate_name(decision.fate) +
            "\",\"refused\":" + (decision.refused ? "true" : "false");
    if (!decision.stored_uid.empty()) text += ",\"stored_as\":" + json_string(decision.stored_uid);
    if (!decision.problem.empty()) text += ",\"problem\":" + json_string(decision.problem);
    text += ",\"differences\":[";
    for (size_t index = 0; index < decision.differences.size(); ++index) {
      const LayoutDifference& difference = decision.differences[index];
      text += (index == 0 ? "{\"text\":" : ",{\"text\":") + json_string(difference.text) +
              ",\"lossless\":" + (difference.lossless ? "true}" : "false}");
    }
    text += "]";
    if (!decision.stored.empty())
      text += ",\"stored\":" + json_string(decision.stored) + ",\"configured\":" + json_string(decision.wanted);
    text += "}";
  }
  return text + "]";
}

bool any_refused(const PartDecisions& decisions) { return std::ranges::any_of(decisions, &PartDecision::refused); }

std::string refusal_text(const PartDecisions& decisions) {
  std::string text;
  for (const PartDecision& decision : decisions) {
    if (!decision.refused) continue;
    if (decision.fate == PartFate::Orphan) {
      text += "\nThe stored state of \"" + decision.uid + "\" has no step in the configuration. Ways out:\n" +
              "  - give the step its id back; if it was renamed, write id_previous = \"" + decision.uid +
              "\" beside its new id\n" +
              "  - start once with --allow-non-restored-state to go on without it; the state is kept for the step's return\n";
      continue;
    }
    text += "\nThe stored state of step \"" + decision.uid + "\" ";
    text += decision.problem.empty() ? "has another layout than the configuration asks for:\n"
                                     : "cannot be taken over: " + decision.problem + "\n";
    if (!decision.stored.empty()) text += side_by_side(decision.stored, decision.wanted);
    text += "Ways out:\n  - take the change of the step back\n";
    if (decision.kept) text += "  - drop what is kept of it: weir state drop --step " + decision.uid + "\n";
    text +=
        "  - give the step a new id and start once with --allow-non-restored-state: it begins empty, and what is stored is "
        "kept under the old id\n";
  }
  return text;
}

}  // namespace weir
