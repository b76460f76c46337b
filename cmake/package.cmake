# What `cmake --install` puts where, and the Debian package (dev/package).
include(GNUInstallDirs)
install(TARGETS sidestream RUNTIME)

# The manual page and the completion are what the program says of itself.
if(NOT CMAKE_CROSSCOMPILING AND NOT SIDESTREAM_SANITIZE)
  set(manual ${CMAKE_BINARY_DIR}/manual)
  add_custom_command(
    OUTPUT ${manual}/sidestream.1.gz ${manual}/sidestream.bash
    COMMAND ${PROJECT_SOURCE_DIR}/dev/manual $<TARGET_FILE:sidestream> ${manual}
    DEPENDS sidestream ${PROJECT_SOURCE_DIR}/dev/manual
    VERBATIM)
  add_custom_target(manual ALL DEPENDS ${manual}/sidestream.1.gz ${manual}/sidestream.bash)
  install(FILES ${manual}/sidestream.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(
    FILES ${manual}/sidestream.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME sidestream)
endif()

install(
  FILES ${PROJECT_SOURCE_DIR}/compose/systemd/sidestream-edge.service
        ${PROJECT_SOURCE_DIR}/compose/systemd/sidestream-edge.socket
        ${PROJECT_SOURCE_DIR}/compose/systemd/sidestream-sidecar.service
  DESTINATION lib/systemd/system)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/compose/fail2ban DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/docs/configuration.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/changelog.gz
  COMMAND gzip -9nc ${PROJECT_SOURCE_DIR}/CHANGELOG.md > ${CMAKE_BINARY_DIR}/changelog.gz
  DEPENDS ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
add_custom_target(changelog ALL DEPENDS ${CMAKE_BINARY_DIR}/changelog.gz)
install(FILES ${CMAKE_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(
  FILES ${PROJECT_SOURCE_DIR}/compose/debian/copyright
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

execute_process(
  COMMAND getconf GNU_LIBC_VERSION
  OUTPUT_VARIABLE libc
  OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^glibc " "" libc "${libc}")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The authors of sidestream <sidestream@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "services at home on the public host of an edge")
set(CPACK_PACKAGE_DESCRIPTION
    "Brings services at home (SSH, databases, Electrum, anything over TCP) to
the internet through a small public host, which sees only ciphertext:
WireGuard and TCP in user space, no privileges on either side. Holds
both programs, the edge and the sidecar.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, libc6 (>= ${libc})")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(scripts ${PROJECT_SOURCE_DIR}/compose/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${scripts}/postinst ${scripts}/prerm ${scripts}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
