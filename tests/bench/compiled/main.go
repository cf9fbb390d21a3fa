// The compiled baseline of the bench: serves finished responses from Redis, with the least work possible in Go.
//
// For each request it verifies the access token's signature (once, then from memory), reads from Redis in one round trip
// whether the token was revoked and the response stored under the path, and sends it. It checks no visibility and uses
// no database, so its cost is a lower bound, not a goal.
//
// Arguments: the address to listen on, Redis' address, the prefix of keys, and a file with the public key in PEM.
package main

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type claims struct {
	Subject string `json:"sub"`
	Session string `json:"sid"`
	Expires int64  `json:"exp"`
}

type redisConnection struct {
	socket net.Conn
	reader *bufio.Reader
}

var (
	redisAddress, prefix string
	publicKey            *rsa.PublicKey
	connections          = make(chan *redisConnection, 32)
	verified             sync.Map
)

func main() {
	redisAddress, prefix = os.Args[2], os.Args[3]
	publicKey = readKey(os.Args[4])
	log.Fatal(http.ListenAndServe(os.Args[1], http.HandlerFunc(answer)))
}

func answer(response http.ResponseWriter, request *http.Request) {
	caller, err := callerOf(strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		http.Error(response, err.Error(), http.StatusUnauthorized)
		return
	}
	revoked, body, err := look(caller, request.URL.RequestURI())
	switch {
	case err != nil:
		http.Error(response, err.Error(), http.StatusServiceUnavailable)
	case revoked:
		http.Error(response, "revoked", http.StatusUnauthorized)
	case body == nil:
		http.NotFound(response, request)
	default:
		response.Header().Set("Content-Type", "application/json")
		response.Write(body)
	}
}

func callerOf(token string) (claims, error) {
	if known, found := verified.Load(token); found && known.(claims).Expires > time.Now().Unix() {
		return known.(claims), nil
	}
	var found claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return found, errors.New("no token")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return found, err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(publicKey, crypto.SHA256, digest[:], signature); err != nil {
		return found, err
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal(payload, &found); err != nil {
		return found, err
	}
	if found.Expires <= time.Now().Unix() {
		return found, errors.New("expired")
	}
	verified.Store(token, found)
	return found, nil
}

// look reads from Redis whether the caller's token was revoked, and the response stored under the path.
func look(caller claims, path string) (bool, []byte, error) {
	connection, err := take()
	if err != nil {
		return false, nil, err
	}
	commands := command("SMISMEMBER", prefix+"auth:revoked", "user:"+caller.Subject, "session:"+caller.Session) +
		command("GET", prefix+"compiled:"+path)
	if _, err = io.WriteString(connection.socket, commands); err == nil {
		var members int
		var body []byte
		if members, err = connection.members(); err == nil {
			if body, err = connection.text(); err == nil {
				connections <- connection
				return members > 0, body, nil
			}
		}
	}
	connection.socket.Close()
	return false, nil, err
}

func take() (*redisConnection, error) {
	select {
	case connection := <-connections:
		return connection, nil
	default:
		socket, err := net.Dial("tcp", redisAddress)
		return &redisConnection{socket, bufio.NewReaderSize(socket, 65536)}, err
	}
}

func command(parts ...string) string {
	var written strings.Builder
	fmt.Fprintf(&written, "*%d\r\n", len(parts))
	for _, part := range parts {
		fmt.Fprintf(&written, "$%d\r\n%s\r\n", len(part), part)
	}
	return written.String()
}

// number reads a line of Redis' protocol that consists of a type character and a number.
func (connection *redisConnection) number(sign byte) (int, error) {
	line, err := connection.reader.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != sign {
		return 0, errors.New(line)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

func (connection *redisConnection) members() (int, error) {
	length, err := connection.number('*')
	found := 0
	for ; err == nil && length > 0; length-- {
		var is int
		is, err = connection.number(':')
		found += is
	}
	return found, err
}

func (connection *redisConnection) text() ([]byte, error) {
	length, err := connection.number('$')
	if err != nil || length < 0 {
		return nil, err
	}
	body := make([]byte, length+2)
	_, err = io.ReadFull(connection.reader, body)
	return body[:length], err
}

func readKey(file string) *rsa.PublicKey {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		log.Fatal("there is no key in " + file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}
