# Sourced by run.sh: puts an nginx with the file of deploy/proxy and TLS before the server, so that
# SERVER and HTTP are its port and SERVER_CA is the authority of its certificate.

nginx=
start_nginx() { # folder; needs root, SERVER and HTTP
    local folder=$1 port program
    program=$(PATH=$PATH:/usr/sbin command -v nginx) || {
        echo 'clients: install nginx (Debian: nginx-light)' >&2
        return 1
    }
    chmod 755 "$folder" # nginx's workers have a user of their own
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=clients \
        -addext subjectAltName=IP:127.0.0.1 -keyout "$folder/key.pem" -out "$folder/chain.pem" \
        2>/dev/null
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    # The standalone server has both services on each of its ports, and one replica.
    sed -E -e '/10\.0\.0\.12/d' -e "s/10\.0\.0\.11:800[12]/$HTTP/" -e "s/10\.0\.0\.11:5005[12]/$SERVER/" \
        -e "s/listen 443/listen 127.0.0.1:$port/" -e "s#/run/nginx.pid#$folder/nginx.pid#" \
        -e "s#/etc/ssl/tasks#$folder#" "$root/deploy/proxy/nginx.conf" >"$folder/nginx.conf"
    "$program" -c "$folder/nginx.conf" -g 'daemon off;' 2>"$folder/nginx.log" &
    nginx=$!
    export SERVER=127.0.0.1:$port HTTP=127.0.0.1:$port SERVER_CA=$folder/chain.pem
    export NODE_EXTRA_CA_CERTS=$SERVER_CA SSL_CERT_FILE=$SERVER_CA REQUESTS_CA_BUNDLE=$SERVER_CA
    for _ in {1..100}; do
        curl --silent --fail --max-time 5 --output /dev/null --cacert "$SERVER_CA" \
            "https://$HTTP/readyz" && return
        sleep 0.1
    done
    cat "$folder/nginx.log" >&2
    return 1
}
