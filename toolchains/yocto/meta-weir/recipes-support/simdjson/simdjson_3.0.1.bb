SUMMARY = "A JSON parser that uses SIMD instructions"
HOMEPAGE = "https://simdjson.org/"
SECTION = "libs"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=1bcbc042f3e4d44e678b9c483a039f8a"

# The version of Debian 12, with which weir is tested.
SRC_URI = "https://github.com/simdjson/simdjson/archive/v${PV}.tar.gz;downloadfilename=${BP}.tar.gz"
SRC_URI[sha256sum] = "156b1bc5eb0561b2bd166b46d191fd3d95a3e709cc63761477d3b7aec2b6e9ed"

inherit cmake

EXTRA_OECMAKE = "-DBUILD_SHARED_LIBS=ON"
