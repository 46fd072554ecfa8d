package rules

import (
	"go/ast"
	"slices"
	"strings"
)

// wallRule keeps the binding's types inside the room that may import it: none stands in an exported declaration.
func wallRule(r repository) []string {
	var found []string
	for _, file := range r.code {
		if file.isTest() {
			continue
		}
		foreign := bindingNames(file)
		for _, decl := range file.ast.Decls {
			for _, part := range exportedParts(decl) {
				found = append(found, mentions(file, part, foreign)...)
			}
		}
	}
	return found
}

// bindingNames are the names by which the file calls cgo and the packages of the GStreamer binding.
func bindingNames(file goFile) []string {
	var names []string
	for _, spec := range file.ast.Imports {
		if name := importedPath(spec); name == "C" || strings.HasPrefix(name, "github.com/go-gst/") {
			names = append(names, specName(spec))
		}
	}
	return names
}

// exportedParts are the parts of a declaration that a caller sees: signatures, types and exported fields, not bodies.
func exportedParts(decl ast.Decl) []ast.Node {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && (decl.Recv == nil || exportedReceiver(decl.Recv.List[0].Type)) {
			return []ast.Node{decl.Type}
		}
	case *ast.GenDecl:
		var parts []ast.Node
		for _, spec := range decl.Specs {
			parts = append(parts, exportedSpec(spec)...)
		}
		return parts
	}
	return nil
}

// exportedReceiver says whether the method's type is exported: *T, T, or either with type parameters.
func exportedReceiver(receiver ast.Expr) bool {
	switch receiver := receiver.(type) {
	case *ast.StarExpr:
		return exportedReceiver(receiver.X)
	case *ast.IndexExpr:
		return exportedReceiver(receiver.X)
	case *ast.IndexListExpr:
		return exportedReceiver(receiver.X)
	case *ast.Ident:
		return receiver.IsExported()
	}
	return false
}

func exportedSpec(spec ast.Spec) []ast.Node {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return nil
		}
		if record, ok := spec.Type.(*ast.StructType); ok {
			return exportedFields(record)
		}
		return []ast.Node{spec.Type}
	case *ast.ValueSpec:
		if spec.Type != nil && slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported) {
			return []ast.Node{spec.Type}
		}
	}
	return nil
}

// exportedFields are the types of the exported and of the embedded fields.
func exportedFields(record *ast.StructType) []ast.Node {
	var parts []ast.Node
	for _, field := range record.Fields.List {
		if len(field.Names) == 0 || slices.ContainsFunc(field.Names, (*ast.Ident).IsExported) {
			parts = append(parts, field.Type)
		}
	}
	return parts
}

// mentions finds the uses of the named packages under a node.
func mentions(file goFile, node ast.Node, packages []string) []string {
	var found []string
	ast.Inspect(node, func(n ast.Node) bool {
		use, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if name, ok := use.X.(*ast.Ident); ok && slices.Contains(packages, name.Name) {
			found = append(found, file.at(use.Pos(), "exports the binding's type %s.%s", name.Name, use.Sel.Name))
		}
		return true
	})
	return found
}
