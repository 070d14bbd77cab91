// Serves Vault's API on loopback, for tests: the real core with its KV store and AppRole logins, in memory. It starts uninitialised, as
// Vault does. Prints its URL.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"

	log "github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

func main() {
	if len(os.Args) != 1 && len(os.Args) != 3 {
		fail("usage: vault-server [CERTIFICATE KEY]")
	}
	logger := log.New(&log.LoggerOptions{Name: "vault", Level: log.Warn})
	storage, err := inmem.NewInmem(nil, logger)
	check(err)
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		Logger:             logger,
		DisableMlock:       true,
		LogicalBackends:    map[string]logical.Factory{"kv": kv.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory},
		BuiltinRegistry:    builtins{consts.PluginTypeSecrets: "kv", consts.PluginTypeCredential: "approle"},
	})
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := &http.Server{Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core})}
	if len(os.Args) == 3 {
		fmt.Println("https://" + listener.Addr().String())
		check(server.ServeTLS(listener, os.Args[1], os.Args[2]))
	}
	fmt.Println("http://" + listener.Addr().String())
	check(server.Serve(listener))
}

// builtins has one plugin of each type. Where a name is one, the core takes the factory that it was given.
type builtins map[consts.PluginType]string

func (b builtins) Contains(name string, kind consts.PluginType) bool { return b[kind] == name }

func (b builtins) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	return func() (interface{}, error) { return nil, nil }, b.Contains(name, kind)
}

func (b builtins) Keys(kind consts.PluginType) []string {
	if b[kind] == "" {
		return nil
	}
	return []string{b[kind]}
}

func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

func (b builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
