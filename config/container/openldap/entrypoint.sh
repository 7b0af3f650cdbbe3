#!/bin/sh
# Starts the rehearsal's directory from its seed: what was changed in it is gone after a restart. People keep their
# entryUUID, which the seed names, so they stay the same people for tdsync.
#
#   /run/openldap    database, keys and socket; a tmpfs does
#   /directory-ca    ca.pem, for those who check the server's certificate
#
# LDAP_SYNC_PASSWORD is the password of cn=tdsync,ou=services,dc=corp,dc=example.
set -eu
: "${LDAP_SYNC_PASSWORD:?the password of the account that reads the directory must be given}"
home=/run/openldap
config=/etc/openldap/slapd.conf

# slapd reserves memory for every file that it might open, and container engines allow a thousand million.
ulimit -n 1024
umask 077
rm -rf "$home/db" "$home/tls"
mkdir -p "$home/db" "$home/tls"

# An authority that exists for one start: its key never leaves this container.
cd "$home/tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 365 -subj '/CN=Rehearsal directory CA' \
  -addext 'keyUsage=critical,keyCertSign,cRLSign' -keyout ca.key -out ca.pem 2>/dev/null
openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 365 -subj '/CN=openldap' \
  -addext 'basicConstraints=critical,CA:FALSE' -addext 'extendedKeyUsage=serverAuth' \
  -addext 'subjectAltName=DNS:openldap,DNS:localhost,IP:127.0.0.1' -keyout server.key -out server.pem 2>/dev/null
rm ca.key
# Moved into place, so that nobody reads half of it.
cp ca.pem /directory-ca/ca.pem.new
chmod 644 /directory-ca/ca.pem.new
mv /directory-ca/ca.pem.new /directory-ca/ca.pem

hash=$(printf %s "$LDAP_SYNC_PASSWORD" | slappasswd -T /dev/stdin)
{
  cat /etc/openldap/seed.ldif
  printf '\ndn: cn=tdsync,ou=services,dc=corp,dc=example\n'
  printf 'objectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: tdsync\nuserPassword: %s\n' "$hash"
} | slapadd -q -f "$config"
unset LDAP_SYNC_PASSWORD hash

exec slapd -d 0 -f "$config" -h 'ldaps://0.0.0.0:1636/ ldapi://%2Frun%2Fopenldap%2Fldapi/'
