################################################################################
#
# nanopb
#
################################################################################

# The version of Debian 12, with which weir is tested.
NANOPB_VERSION = 0.4.7
NANOPB_SITE = $(call github,nanopb,nanopb,$(NANOPB_VERSION))
NANOPB_LICENSE = Zlib
NANOPB_LICENSE_FILES = LICENSE.txt
NANOPB_INSTALL_STAGING = YES
NANOPB_INSTALL_TARGET = NO
# Its build looks for both even where it needs neither.
NANOPB_DEPENDENCIES = host-protobuf host-python3
HOST_NANOPB_DEPENDENCIES = host-protobuf host-python3 host-python-protobuf
NANOPB_CONF_OPTS = -Dnanopb_BUILD_GENERATOR=OFF -DBUILD_SHARED_LIBS=OFF -DBUILD_STATIC_LIBS=ON
HOST_NANOPB_CONF_OPTS = -Dnanopb_BUILD_RUNTIME=OFF -Dnanopb_BUILD_GENERATOR=ON

$(eval $(cmake-package))
$(eval $(host-cmake-package))
