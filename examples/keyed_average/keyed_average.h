// The keyed-state example of Apache Flink's documentation as an operator for weir: per key the average of every two values.
#pragma once

#include "agent/api/function.h"

/// Named by `operator = "keyed-average"`; its option `count` says of how many values, 2 unless it is given.
extern const weir::StepKind keyed_average;
