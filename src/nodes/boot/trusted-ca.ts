// Part of the boot script: the CA among those that the system trusts. Fedora, SUSE, Debian and Alpine, Flatcar (whose /usr is read-only), and those with nothing but
// a bundle, as busybox.
import { SYSTEM_CA } from '../system-ca.ts';

/** Below the stage. */
export const STAGED_CA = 'ca.crt';

export const TRUSTED_CA = `# place_ca DIRECTORY NAME: 1 if it cannot be written there.
place_ca() {
	cmp -s "$stage/${STAGED_CA}" "$1/$2" && return 0
	mkdir -p "$1" 2>/dev/null && cp "$stage/${STAGED_CA}" "$1/$2" 2>/dev/null && return 0
	rm -f "$1/$2" 2>/dev/null
	return 1
}

# By a line of its signature: the first lines of two CAs may be the same.
is_in_bundle() {
	grep -qsF -e "$(awk '/END CERT/ { print (before ~ /BEGIN/ ? last : before); exit } { before = last; last = $0 }' "$stage/${STAGED_CA}")" "$bundle"
}

# What update-ca-certificates would do for the one CA in /${SYSTEM_CA}: Debian's goes through all at every boot, with some processes for each. False
# where there is more to it: no bundle, another CA of ours before this one, or programs that want to be told.
add_to_bundle() {
	link=/etc/ssl/certs/private-reg.pem
	if [ -e "$link" ]; then
		is_in_bundle
		return
	fi
	if [ ! -s "$bundle" ] || [ -n "$(ls /etc/ca-certificates/update.d 2>/dev/null)" ]; then
		return 1
	fi
	hash=$(openssl x509 -hash -noout -in "$stage/${STAGED_CA}" 2>/dev/null)
	[ -n "$hash" ] || return 1
	number=0
	while [ -e "/etc/ssl/certs/$hash.$number" ]; do number=$((number + 1)); done
	if ! is_in_bundle; then
		rewrite "$(behind_links "$bundle")" cat "$stage/${STAGED_CA}" || return 1
	fi
	ln -s "/${SYSTEM_CA}" "$link" && ln -sf private-reg.pem "/etc/ssl/certs/$hash.$number"
}

trust() {
	bundle=/etc/ssl/certs/ca-certificates.crt
	[ -r "$stage/${STAGED_CA}" ] && [ -z "$root" ] || return 0
	if command -v update-ca-trust >/dev/null; then
		place_ca /etc/pki/ca-trust/source/anchors private-reg.crt && update-ca-trust extract
	elif command -v update-ca-certificates >/dev/null; then
		if [ -d /etc/pki/trust/anchors ]; then
			place_ca /etc/pki/trust/anchors private-reg.crt && update-ca-certificates >/dev/null 2>&1
		elif place_ca ${`/${SYSTEM_CA}`.replace(/\/[^/]*$/, '')} private-reg.crt; then
			add_to_bundle || update-ca-certificates >/dev/null 2>&1
		else
			place_ca /etc/ssl/certs private-reg.pem && update-ca-certificates >/dev/null 2>&1
		fi
	else
		is_in_bundle || { mkdir -p /etc/ssl/certs && cat "$stage/${STAGED_CA}" >>"$bundle"; } 2>/dev/null
	fi || log "WARNING: the system does not trust the registry's CA: it cannot be written, or not be made known"
}
`;
