################################################################################
#
# weir
#
################################################################################

WEIR_VERSION = 0.1.0
WEIR_SITE = $(call qstrip,$(BR2_PACKAGE_WEIR_SOURCE))
WEIR_SITE_METHOD = local
WEIR_LICENSE = Apache-2.0
WEIR_LICENSE_FILES = LICENSE
WEIR_DEPENDENCIES = host-nanopb host-pkgconf mosquitto nanopb simdjson sqlite tomlplusplus xxhash
WEIR_CONF_OPTS = \
	-DWEIR_TESTS=OFF \
	-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON \
	-DWEIR_WITHOUT_COMMANDS=$(BR2_PACKAGE_WEIR_WITHOUT_COMMANDS) \
	-DWEIR_WITHOUT_STEPS=$(BR2_PACKAGE_WEIR_WITHOUT_STEPS)

# A build folder that stands in the sources is not for the target.
WEIR_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude build --exclude dist

define WEIR_INSTALL_CONFIGURATION
	$(INSTALL) -D -m 0644 $(@D)/configs/weir.toml $(TARGET_DIR)/etc/weir/weir.toml
endef
WEIR_POST_INSTALL_TARGET_HOOKS += WEIR_INSTALL_CONFIGURATION

define WEIR_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/configs/weir.service $(TARGET_DIR)/usr/lib/systemd/system/weir.service
endef

define WEIR_INSTALL_INIT_OPENRC
	$(INSTALL) -D -m 0755 $(@D)/configs/openrc/weir $(TARGET_DIR)/etc/init.d/weir
	$(INSTALL) -D -m 0644 $(@D)/configs/openrc/weir.confd $(TARGET_DIR)/etc/conf.d/weir
endef

define WEIR_INSTALL_INIT_SYSV
	$(INSTALL) -D -m 0755 $(WEIR_PKGDIR)/S80weir $(TARGET_DIR)/etc/init.d/S80weir
endef

define WEIR_USERS
	weir -1 weir -1 * /var/lib/weir - - weir gateway agent
endef

define WEIR_PERMISSIONS
	/var/lib/weir d 750 weir weir - - - - -
endef

$(eval $(cmake-package))
