import base64, http.client, json, socket, ssl, sys

IP_FREEBIND = 15
name, asked = sys.argv[1], json.loads(sys.argv[2])
trusting = ssl.create_default_context(cafile="authority.crt")

def statuses(source, target, times):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    plain = socket.socket(family)
    plain.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
    plain.bind((source, 0))
    plain.settimeout(30)
    plain.connect((target, 443))
    connection = http.client.HTTPSConnection(name)
    connection.sock = trusting.wrap_socket(plain, server_hostname=name)
    for guess in range(times):
        password = base64.b64encode(b"cfo:guess %d" % guess).decode()
        connection.request("GET", "/", headers={"Authorization": "Basic " + password})
        answer = connection.getresponse()
        answer.read()
        yield answer.status
    connection.close()

print(json.dumps([list(statuses(*guesses)) for guesses in asked]))
