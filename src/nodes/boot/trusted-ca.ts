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

trust() {
	[ -r "$stage/${STAGED_CA}" ] && [ -z "$root" ] || return 0
	if command -v update-ca-trust >/dev/null; then
		place_ca /etc/pki/ca-trust/source/anchors private-reg.crt && update-ca-trust extract
	elif command -v update-ca-certificates >/dev/null; then
		if [ -d /etc/pki/trust/anchors ]; then
			place_ca /etc/pki/trust/anchors private-reg.crt
		else
			place_ca ${`/${SYSTEM_CA}`.replace(/\/[^/]*$/, '')} private-reg.crt || place_ca /etc/ssl/certs private-reg.pem
		fi && update-ca-certificates >/dev/null 2>&1
	else
		bundle=/etc/ssl/certs/ca-certificates.crt
		grep -qsF "$(sed -n '/BEGIN CERTIFICATE/{n;p;q;}' "$stage/${STAGED_CA}")" "$bundle" ||
			{ mkdir -p /etc/ssl/certs && cat "$stage/${STAGED_CA}" >>"$bundle"; } 2>/dev/null
	fi || log "WARNING: the system does not trust the registry's CA: it cannot be written, or not be made known"
}
`;
