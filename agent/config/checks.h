// The checks that the option table's rows and sections name: what a type, a range and a list of choices cannot say. Each gets
// the node as written and the struct of the section that is being filled.
#pragma once

#include "agent/config/option.h"

namespace weir {

void check_url(const Node& node, void* section, CheckContext& context);  // also fills host and port
void check_password(const Node& node, void* section, CheckContext& context);
void check_topics(const Node& node, void* section, CheckContext& context);
void check_topic_template(const Node& node, void* section, CheckContext& context);
void check_source_qos(const Node& node, void* section, CheckContext& context);
void check_sink_qos(const Node& node, void* section, CheckContext& context);
void check_control_topic(const Node& node, void* section, CheckContext& context);
void check_trigger(const Node& node, void* section, CheckContext& context);
void check_operator(const Node& node, void* section, CheckContext& context);
void check_window_offset(const Node& node, void* section, CheckContext& context);  // also fills offset_ms
void check_key_by(const Node& node, void* section, CheckContext& context);

// Of sections: called when all their options are in place.
void check_mqtt(const Node& node, void* section, CheckContext& context);
void check_restart(const Node& node, void* section, CheckContext& context);
void check_source(const Node& node, void* section, CheckContext& context);
void check_window(const Node& node, void* section, CheckContext& context);
void check_step(const Node& node, void* section, CheckContext& context);  // also settles the verb
void check_sink(const Node& node, void* section, CheckContext& context);
void check_pipeline(const Node& node, void* section, CheckContext& context);
void check_specification(const Node& node, void* section, CheckContext& context);

}  // namespace weir
