// What the rows of the function table compute, by subject: function_numbers.cpp, function_texts.cpp, function_times.cpp. Each
// is called with arguments of the types that its row states, none of them null unless the row says otherwise, and gives the
// same result on every architecture; one that does not exist is null.
#pragma once

#include "agent/expression/functions.h"

namespace weir::calls {

// Numbers and bits.
Value absolute(Arguments arguments);
Value sign(Arguments arguments);
Value round(Arguments arguments);
Value floor(Arguments arguments);
Value ceil(Arguments arguments);
Value trunc(Arguments arguments);
Value square_root(Arguments arguments);
Value exp(Arguments arguments);
Value ln(Arguments arguments);
Value log10(Arguments arguments);
Value pow(Arguments arguments);
Value sin(Arguments arguments);
Value cos(Arguments arguments);
Value tan(Arguments arguments);
Value atan2(Arguments arguments);
Value least(Arguments arguments);
Value greatest(Arguments arguments);
Value clamp(Arguments arguments);
Value null_if(Arguments arguments);
Value bit_and(Arguments arguments);
Value bit_or(Arguments arguments);
Value bit_xor(Arguments arguments);
Value bit_not(Arguments arguments);
Value shift_left(Arguments arguments);
Value shift_right(Arguments arguments);
Value bit_test(Arguments arguments);

// Texts and conversions.
Value length(Arguments arguments);
Value trim(Arguments arguments);
Value substr(Arguments arguments);
Value contains(Arguments arguments);
Value starts_with(Arguments arguments);
Value ends_with(Arguments arguments);
Value split_part(Arguments arguments);
Value matches(Arguments arguments);
Value hash(Arguments arguments);
Value to_int(Arguments arguments);
Value to_float(Arguments arguments);
Value to_bool(Arguments arguments);
Value lower(Arguments arguments, const CallAid& aid);
Value upper(Arguments arguments, const CallAid& aid);
Value concat(Arguments arguments, const CallAid& aid);
Value replace(Arguments arguments, const CallAid& aid);
Value to_string(Arguments arguments, const CallAid& aid);
uint64_t room_of_first(std::span<const TextBound> arguments);
uint64_t room_of_all(std::span<const TextBound> arguments);
uint64_t room_of_replace(std::span<const TextBound> arguments);

// Times.
Value year(Arguments arguments, const CallAid& aid);
Value month(Arguments arguments, const CallAid& aid);
Value day(Arguments arguments, const CallAid& aid);
Value hour(Arguments arguments, const CallAid& aid);
Value minute(Arguments arguments, const CallAid& aid);
Value second(Arguments arguments, const CallAid& aid);
Value day_of_week(Arguments arguments, const CallAid& aid);
Value truncate_time(Arguments arguments, const CallAid& aid);
Value time_diff(Arguments arguments, const CallAid& aid);

}  // namespace weir::calls
