#include "agent/app/stored_states.h"

#include "connectors/codecs/manifest_codec.h"

namespace weir {

Status read_stored_states(SqliteCheckpointStore& store, const std::string& pipeline, std::vector<StoredState>& states) {
  NanopbManifestCodec codec;
  std::vector<std::string> names;
  WEIR_TRY(store.each_pipeline([&](std::string_view name) {
    if (pipeline.empty() || name == pipeline) names.emplace_back(name);
    return Status();
  }));
  if (names.empty() && !pipeline.empty()) return {Code::NotFound, "there is no state of that pipeline"};
  for (const std::string& name : names) WEIR_TRY(read_stored_state(store, name, codec, states.emplace_back()));
  return {};
}

}  // namespace weir
