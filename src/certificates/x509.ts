// Makes X.509 certificates (RFC 5280) with keys on P-256 and signatures with SHA-256. The structures are those of @peculiar/asn1-x509, loaded when the first one is
// made; keys and signatures are node:crypto's.
import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { networkOf, plainAddressText } from './address-octets.ts';
import type { NameConstraintLists } from './name-constraints.ts';
import type { CertificateName } from './names.ts';

export interface CertificateRequest {
  readonly commonName: string;
  /** Of the certificate. */
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Makes it the certificate of a CA, which makes no other CAs; otherwise of a server. */
  readonly authority?: { readonly constraints?: NameConstraintLists };
  readonly names?: readonly CertificateName[];
}

/** Who signs. Without `certificate` it is signed by itself. */
export interface Signer {
  readonly key: KeyObject;
  readonly certificate?: X509Certificate;
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';

/** PEM. */
export async function signedCertificate(request: CertificateRequest, signer: Signer): Promise<string> {
  const [{ AsnConvert, OctetString }, x509] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ]);
  const asn1: Asn1 = { AsnConvert, OctetString, x509 };
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const subjectPublicKeyInfo = publicKeyInfo(request.publicKey, asn1);
  const subject = nameOf(request.commonName, x509);
  const issuer = signer.certificate
    ? AsnConvert.parse(exact(signer.certificate.raw), x509.Certificate).tbsCertificate.subject
    : subject;
  const content = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: exact(serialNumber()),
    signature: algorithm,
    issuer,
    validity: new x509.Validity({ notBefore: request.notBefore, notAfter: request.notAfter }),
    subject,
    subjectPublicKeyInfo,
    extensions: new x509.Extensions(extensionsOf(request, signer, asn1)),
  });
  const signature = sign('sha256', new Uint8Array(AsnConvert.serialize(content)), signer.key);
  const certificate = new x509.Certificate({
    tbsCertificate: content,
    signatureAlgorithm: algorithm,
    signatureValue: exact(signature),
  });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}

/** Those of a CA that was made here. */
export async function constraintsOf(certificate: X509Certificate): Promise<NameConstraintLists | undefined> {
  const [{ AsnConvert }, x509] = await Promise.all([import('@peculiar/asn1-schema'), import('@peculiar/asn1-x509')]);
  const { extensions = [] } = AsnConvert.parse(exact(certificate.raw), x509.Certificate).tbsCertificate;
  const extension = extensions.find(({ extnID }) => extnID === x509.id_ce_nameConstraints);
  if (!extension) return undefined;
  const bases = [...(AsnConvert.parse(extension.extnValue, x509.NameConstraints).permittedSubtrees ?? [])];
  return {
    names: bases.flatMap(({ base }) => base.dNSName ?? []),
    ranges: bases.flatMap(({ base }) => (base.iPAddress === undefined ? [] : [networkOf(base.iPAddress)])),
  };
}

interface Asn1 {
  readonly AsnConvert: typeof import('@peculiar/asn1-schema').AsnConvert;
  readonly OctetString: typeof import('@peculiar/asn1-schema').OctetString;
  readonly x509: typeof import('@peculiar/asn1-x509');
}

function extensionsOf(request: CertificateRequest, signer: Signer, asn1: Asn1) {
  const { AsnConvert, OctetString, x509 } = asn1;
  const extension = (extnID: string, critical: boolean, value: unknown) =>
    new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
  const { authority, names = [] } = request;
  const usage = authority ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign : 1;
  const signingKey = createPublicKey(signer.key);
  const all = [
    extension(x509.id_ce_basicConstraints, true, basicConstraints(authority !== undefined, asn1)),
    extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(usage)),
    extension(x509.id_ce_subjectKeyIdentifier, false, keyIdentifier(request.publicKey, asn1)),
    extension(
      x509.id_ce_authorityKeyIdentifier,
      false,
      new x509.AuthorityKeyIdentifier({ keyIdentifier: keyIdentifier(signingKey, asn1) }),
    ),
  ];
  if (authority?.constraints) {
    all.push(extension(x509.id_ce_nameConstraints, true, nameConstraints(authority.constraints, asn1)));
  }
  if (!authority) {
    all.push(extension(x509.id_ce_extKeyUsage, false, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])));
    const general = names.map((name) =>
      name.kind === 'dns'
        ? new x509.GeneralName({ dNSName: name.name })
        : new x509.GeneralName({ iPAddress: plainAddressText(name.address) }),
    );
    all.push(extension(x509.id_ce_subjectAltName, false, new x509.SubjectAlternativeName(general)));
  }
  return all;
}

function basicConstraints(isAuthority: boolean, { x509 }: Asn1) {
  return new x509.BasicConstraints(isAuthority ? { cA: true, pathLenConstraint: 0 } : { cA: false });
}

/** A kind of names without an entry is excluded altogether: a list of one kind says nothing of the other. */
function nameConstraints({ names, ranges }: NameConstraintLists, { x509 }: Asn1) {
  const subtree = (base: { dNSName: string } | { iPAddress: string }) =>
    new x509.GeneralSubtree({ base: new x509.GeneralName(base) });
  const address = (range: string) => subtree({ iPAddress: networkOf(range) });
  const permitted = [...names.map((dNSName) => subtree({ dNSName })), ...ranges.map(address)];
  const excluded = [
    ...(names.length === 0 ? [subtree({ dNSName: '' })] : []),
    ...(ranges.some((range) => !range.includes(':')) ? [] : [address('0.0.0.0/0')]),
    ...(ranges.some((range) => range.includes(':')) ? [] : [address('::/0')]),
  ];
  return new x509.NameConstraints({
    ...(permitted.length > 0 && { permittedSubtrees: new x509.GeneralSubtrees(permitted) }),
    ...(excluded.length > 0 && { excludedSubtrees: new x509.GeneralSubtrees(excluded) }),
  });
}

/** RFC 7093, section 2, method 1. */
function keyIdentifier(key: KeyObject, asn1: Asn1) {
  const bits = publicKeyInfo(key, asn1).subjectPublicKey;
  const digest = createHash('sha256').update(new Uint8Array(bits)).digest().subarray(0, 20);
  return new asn1.x509.SubjectKeyIdentifier(exact(digest));
}

function publicKeyInfo(key: KeyObject, { AsnConvert, x509 }: Asn1) {
  return AsnConvert.parse(exact(key.export({ type: 'spki', format: 'der' })), x509.SubjectPublicKeyInfo);
}

function nameOf(commonName: string, x509: Asn1['x509']) {
  const value = new x509.AttributeValue({ utf8String: commonName });
  return new x509.Name([
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: COMMON_NAME, value })]),
  ]);
}

/** 126 random bits: positive, and of 16 octets. */
function serialNumber(): Uint8Array {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** The library takes buffers as they are, without regard to where a view of them begins. */
function exact(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
