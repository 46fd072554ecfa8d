//go:build !manual

package main

import "github.com/spf13/cobra"

// extras are none in a build for use.
func extras() []*cobra.Command { return nil }
