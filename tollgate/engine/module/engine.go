//go:build tools

// Package engine pins the Pulumi command line that tollgate builds when no release archive can be had.
// go.mod repeats the module's own replacement, because replacements of a dependency are not inherited.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
