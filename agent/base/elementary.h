// The elementary functions, with equal bits on every architecture. The C library's differ in the last bit between processors
// with and without a fused multiply-add, amd64's among themselves included, so none of it is used here: these are made of
// additions, subtractions, multiplications and divisions alone, which IEEE 754 defines to the last bit. (All code is compiled
// with -ffp-contract=off, or the compiler would fuse them.) They compute with twice the digits and round once, so that the
// result is the nearest double in all but one of many millions of calls. Pure; no heap, no errno; about half a microsecond
// on a desktop.
//
// A result that does not exist is a NaN, one beyond the range of doubles an infinity or zero. Arguments may be anything.
#pragma once

namespace weir::elementary {

double exp(double x);
/// Minus infinity at zero, NaN below.
double ln(double x);
double log10(double x);
/// pow(x, 0) is 1 for every x; pow(0, y) is infinite for y < 0; NaN for x < 0 unless y is whole.
double pow(double x, double y);

/// Angles in radians. NaN beyond 2^30 either way.
double sin(double x);
double cos(double x);
double tan(double x);
constexpr double angle_max = 1073741824.0;

/// The angle of the point (x, y), from -pi to pi, with the signs of zeros as in IEEE 754.
double atan2(double y, double x);

}  // namespace weir::elementary
