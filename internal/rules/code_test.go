package rules

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// docRule wants a package comment in each package, outside its tests where it has code outside them.
func docRule(r repository) []string {
	documented := map[string]bool{}
	testsOnly := map[string]bool{}
	for _, file := range r.code {
		if _, seen := testsOnly[file.dir()]; !seen {
			testsOnly[file.dir()] = true
		}
		testsOnly[file.dir()] = testsOnly[file.dir()] && file.isTest()
	}
	for _, file := range r.code {
		counts := !file.isTest() || testsOnly[file.dir()]
		documented[file.dir()] = documented[file.dir()] || counts && file.ast.Doc != nil
	}
	var found []string
	for _, dir := range slices.Sorted(maps.Keys(documented)) {
		if !documented[dir] {
			found = append(found, dir+": no package comment")
		}
	}
	return found
}

// forbidden are the calls that no file makes, with what to do in their place.
var forbidden = []struct {
	pkg, name string // name is a regular expression
	instead   string
}{
	{"time", `^Sleep$`, "wait on a context, a channel or a timer"},
	{"fmt", `^Print(f|ln)?$`, "write to the io.Writer passed in"},
	{"log", `^(Fatal|Panic|Print)`, "use the slog.Logger passed in"},
	{"os", `^Exit$`, "return an error; only main ends the program"},
}

// callRule refuses the forbidden calls, and functions that run before main.
func callRule(r repository) []string {
	var found []string
	for _, file := range r.code {
		for _, decl := range file.ast.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if ok && function.Recv == nil && function.Name.Name == "init" {
				found = append(found, file.at(function.Pos(), "init: construct in main, pass in"))
			}
			found = append(found, forbiddenUses(file, decl, isMain(file, function))...)
		}
	}
	return found
}

// isMain says whether this is the one function that may end the program: main, or TestMain, which is the main of a
// test's binary.
func isMain(file goFile, function *ast.FuncDecl) bool {
	if function == nil || function.Recv != nil {
		return false
	}
	name := function.Name.Name
	return name == "main" && file.ast.Name.Name == "main" || name == "TestMain" && file.isTest()
}

func forbiddenUses(file goFile, node ast.Node, mayExit bool) []string {
	var found []string
	for _, call := range forbidden {
		local := file.localName(call.pkg)
		if local == "" || mayExit && call.pkg == "os" {
			continue
		}
		name := regexp.MustCompile(call.name)
		ast.Inspect(node, func(n ast.Node) bool {
			if use, ok := n.(*ast.SelectorExpr); ok && isIdent(use.X, local) && name.MatchString(use.Sel.Name) {
				found = append(found, file.at(use.Pos(), "%s.%s: %s", call.pkg, use.Sel.Name, call.instead))
			}
			return true
		})
	}
	return found
}

func isIdent(expr ast.Expr, name string) bool {
	ident, ok := expr.(*ast.Ident)
	return ok && ident.Name == name
}

// boardRule wants what is peculiar to a board in the board's row: no code outside package board asks which board this
// is, neither by comparing a board's ID nor by a case for one. Tests may.
func boardRule(r repository) []string {
	ids := boardIDs(r.code)
	var found []string
	for _, file := range r.code {
		if file.dir() == "board" || file.isTest() {
			continue
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			if slices.ContainsFunc(compared(n), func(e ast.Expr) bool { return isBoardID(e, ids) }) {
				found = append(found, file.at(n.Pos(), "asks for one board: make it a field of the board's row"))
			}
			return true
		})
	}
	return found
}

// boardIDs are the string literals that package board's tables give to a field ID.
func boardIDs(files []goFile) []string {
	var ids []string
	for _, file := range files {
		if file.dir() != "board" || file.isTest() {
			continue
		}
		ast.Inspect(file.ast, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok && isIdent(pair.Key, "ID") {
				if text, ok := literal(pair.Value); ok {
					ids = append(ids, text)
				}
			}
			return true
		})
	}
	return ids
}

// compared are the operands of == and !=, the tag of a switch and the values of its cases.
func compared(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			return []ast.Expr{n.X, n.Y}
		}
	case *ast.SwitchStmt:
		return []ast.Expr{n.Tag}
	case *ast.CaseClause:
		return n.List
	}
	return nil
}

// boardish is a value that holds a board, by its name.
var boardish = regexp.MustCompile(`(?i)board$`)

// isBoardID says whether the expression is a board's ID: a literal that is one, or `.ID` of something called board.
func isBoardID(expr ast.Expr, ids []string) bool {
	if text, ok := literal(expr); ok {
		return slices.Contains(ids, text)
	}
	field, ok := expr.(*ast.SelectorExpr)
	if !ok || field.Sel.Name != "ID" {
		return false
	}
	switch owner := field.X.(type) {
	case *ast.Ident:
		return boardish.MatchString(owner.Name)
	case *ast.SelectorExpr:
		return boardish.MatchString(owner.Sel.Name)
	}
	return false
}

func literal(expr ast.Expr) (string, bool) {
	basic, ok := expr.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
