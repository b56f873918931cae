SUMMARY = "Stream processing for ARM Linux gateways that does not lose data"
DESCRIPTION = "Takes MQTT sensor streams, runs pipelines written in TOML in fixed memory, and comes back from its last checkpoint."
SECTION = "net"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

inherit cmake pkgconfig python3native systemd useradd externalsrc

# The sources are the folder that this layer lies in. If the layer has been copied elsewhere, say where they are, in local.conf:
#   EXTERNALSRC:pn-weir = "/path/to/weir"
EXTERNALSRC ?= "${@os.path.normpath(d.getVar('THISDIR') + '/../../../../..')}"

DEPENDS = "mosquitto nanopb nanopb-native protobuf-native python3-protobuf-native simdjson sqlite3 tomlplusplus xxhash"
RRECOMMENDS:${PN} = "tzdata"

# What a small box does not need, apart by blanks: docs/embedded-linux.md.
WEIR_WITHOUT_COMMANDS ?= ""
WEIR_WITHOUT_STEPS ?= ""
EXTRA_OECMAKE = " \
    -DWEIR_TESTS=OFF \
    -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON \
    -DWEIR_WITHOUT_COMMANDS='${WEIR_WITHOUT_COMMANDS}' \
    -DWEIR_WITHOUT_STEPS='${WEIR_WITHOUT_STEPS}' \
"

do_install:append() {
    install -D -m 0644 ${S}/configs/weir.toml ${D}${sysconfdir}/weir/weir.toml
    install -D -m 0644 ${S}/configs/weir.service ${D}${systemd_system_unitdir}/weir.service
    install -D -m 0644 ${S}/toolchains/packaging/weir.tmpfiles ${D}${nonarch_libdir}/tmpfiles.d/weir.conf
    install -D -m 0644 ${S}/configs/weir.schema.json ${D}${datadir}/weir/weir.schema.json
    install -D -m 0644 ${S}/toolchains/packaging/weir.bash ${D}${datadir}/bash-completion/completions/weir
}

SYSTEMD_SERVICE:${PN} = "weir.service"
USERADD_PACKAGES = "${PN}"
USERADD_PARAM:${PN} = "--system --user-group --home-dir ${localstatedir}/lib/weir --no-create-home --shell /sbin/nologin weir"

CONFFILES:${PN} = "${sysconfdir}/weir/weir.toml"
FILES:${PN} += "${systemd_system_unitdir} ${nonarch_libdir}/tmpfiles.d ${datadir}/weir ${datadir}/bash-completion"
# For programs with operators of their own: docs/custom-operators.md.
FILES:${PN}-dev += "${libdir}/cmake/weir ${libdir}/weir"
