/** Whether a URL's host is this machine by definition (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291). */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/i.test(hostname);
}
