package authz_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
)

const (
	me    = "org_mine"
	other = "org_other"
)

// matrix says for each action who may do it: "*" for any thing, "own" for
// one's own. Whoever is missing may not call it at all.
var matrix = map[string]map[auth.Role]string{
	"organisations.create":          {auth.Operator: "*"},
	"organisations.apply":           {}, // of a person who signed in
	"organisations.amend":           {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"organisations.withdraw":        {}, // of a person as itself
	"organisations.show":            {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"organisations.lookalikes":      {auth.Operator: "*"},
	"organisations.submit":          {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"organisations.list":            {auth.Operator: "*"},
	"organisations.approve":         {auth.Operator: "*"},
	"organisations.request_changes": {auth.Operator: "*"},
	"organisations.suspend":         {auth.Operator: "*"},
	"organisations.review":          {auth.Operator: "*"},
	"organisations.terminate":       {auth.Operator: "*"},
	"organisations.reactivate":      {auth.Operator: "*"},
	"api_keys.create":               {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"api_keys.list":                 {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"api_keys.revoke":               {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"bank_accounts.create":          {auth.Operator: "*", auth.Seller: "own", auth.Institution: "own", auth.Provider: "own"},
	"bank_accounts.list":            {auth.Operator: "*", auth.Seller: "own", auth.Institution: "own", auth.Provider: "own"},

	"directory.list":   everyone,
	"directory.show":   everyone,
	"directory.fields": {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"directory.set":    {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"directory.clear":  {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},

	"charter.in_force":    everyone,
	"charter.version":     everyone,
	"charter.versions":    everyone,
	"charter.mine":        {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own", auth.Operator: "*"},
	"charter.signatures":  {auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own", auth.Operator: "*"},
	"charter.ask_code":    {}, // of a person at its desk
	"charter.ask_passkey": {},
	"charter.sign":        {},
	"charter.accept":      {auth.Operator: "*"},
	"charter.discard":     {auth.Operator: "*"},
	"charter.draft":       {auth.Operator: "*"},
	"charter.drafted":     {auth.Operator: "*"},
	"charter.drafts":      {auth.Operator: "*"},
	"charter.hand_in":     {auth.Operator: "*"},
	"charter.papers":      {auth.Operator: "*"},
	"charter.publish":     {auth.Operator: "*"},
	"charter.refuse":      {auth.Operator: "*"},
	"charter.unsigned":    {auth.Operator: "*"},
	"charter.write":       {auth.Operator: "*"},

	"finance.accept":            {auth.Seller: "own"},
	"finance.answer":            {auth.Seller: "own"},
	"finance.apply":             {auth.Seller: "own"},
	"finance.decline":           {auth.Seller: "own"},
	"finance.submit":            {auth.Seller: "own"},
	"finance.use_account":       {auth.Seller: "own"},
	"finance.withdraw":          {auth.Seller: "own"},
	"finance.ask":               {auth.Bank: "*"},
	"finance.complete":          {auth.Bank: "*"},
	"finance.offer":             {auth.Bank: "*"},
	"finance.receive":           {auth.Bank: "*"},
	"finance.refuse":            {auth.Bank: "*"},
	"finance.review":            {auth.Bank: "*"},
	"finance.catalogue":         {auth.Seller: "own", auth.Bank: "*", auth.Operator: "*"},
	"finance.list":              {auth.Seller: "own", auth.Bank: "*", auth.Operator: "*"},
	"finance.show":              {auth.Seller: "own", auth.Bank: "*", auth.Operator: "*"},
	"finance_products.show":     {auth.Seller: "own", auth.Bank: "*", auth.Operator: "*"},
	"finance.desk":              {auth.Bank: "*", auth.Insurer: "*"},
	"finance.channel":           {auth.Operator: "*"},
	"finance.errands":           {auth.Operator: "*"},
	"finance_products.publish":  {auth.Operator: "*"},
	"finance_products.return":   {auth.Operator: "*"},
	"finance_products.make":     {auth.Bank: "*"},
	"finance_products.submit":   {auth.Bank: "*"},
	"finance_products.withdraw": {auth.Bank: "*"},
	"finance_products.write":    {auth.Bank: "*"},
	"finance_products.list":     {auth.Bank: "*", auth.Operator: "*"},
	"insurance.ask":             {auth.Seller: "own"},
	"insurance.cancel":          {auth.Seller: "own"},
	"insurance.declare":         {auth.Seller: "own"},
	"insurance.evidence":        {auth.Seller: "own"},
	"insurance.take":            {auth.Seller: "own"},
	"insurance.quote":           {auth.Seller: "own", auth.Operator: "*"},
	"insurance.quotes":          {auth.Seller: "own", auth.Operator: "*"},
	"insurance.claim":           {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.claims":          {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.paper":           {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.policies":        {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.policy":          {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.product":         {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.products":        {auth.Seller: "*", auth.Insurer: "*", auth.Operator: "*"},
	"insurance.answer":          {auth.Insurer: "*"},
	"insurance.propose":         {auth.Insurer: "*"},
	"insurance.statement_show":  {auth.Insurer: "*", auth.Operator: "*"},
	"insurance.statements":      {auth.Insurer: "*", auth.Operator: "*"},
	"insurance.approve":         {auth.Operator: "*"},
	"insurance.breaks":          {auth.Operator: "*"},
	"insurance.observe":         {auth.Operator: "*"},
	"insurance.reject":          {auth.Operator: "*"},
	"insurance.resolve":         {auth.Operator: "*"},
	"insurance.source":          {auth.Operator: "*"},
	"insurance.statement":       {auth.Operator: "*"},
	"insurance.withdraw":        {auth.Operator: "*"},

	"requirements.list":    {auth.Operator: "*", auth.Seller: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*"},
	"requirements.publish": {auth.Operator: "*"},
	"enrolment.queue":      {auth.Operator: "*"},
	"enrolment.show":       {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"papers.hand_in":       {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"papers.accept":        {auth.Operator: "*"},
	"papers.reject":        {auth.Operator: "*"},
	"papers.reveal":        {auth.Operator: "*"},

	"dossiers.mine":        {auth.Seller: "own"},
	"dossiers.add":         {auth.Seller: "own"},
	"dossiers.item":        {auth.Seller: "own"},
	"dossiers.replace":     {auth.Seller: "own"},
	"dossiers.retire":      {auth.Seller: "own"},
	"consultations.list":   {auth.Seller: "own"},
	"consents.give":        {auth.Seller: "own"},
	"consents.answer":      {auth.Seller: "own"},
	"consents.withdraw":    {auth.Seller: "own"},
	"consents.wording":     {auth.Seller: "own"},
	"consents.list":        {auth.Seller: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*"},
	"consents.show":        {auth.Seller: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*"},
	"consents.ask":         {auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*"},
	"dossiers.show":        {auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Operator: "*"},
	"dossiers.view":        {auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Operator: "*"},
	"dossiers.download":    {auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Operator: "*"},
	"dossiers.break_glass": {auth.Operator: "*"},
	"dossiers.glasses":     {auth.Operator: "*"},
	"programmes.make":      {auth.Operator: "*"},
	"programmes.enlist":    {auth.Operator: "*"},
	"programmes.list":      {auth.Seller: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Operator: "*"},

	"offers.list":    everyone,
	"offers.show":    everyone,
	"offers.create":  {auth.Operator: "*", auth.Seller: "own"},
	"offers.update":  {auth.Operator: "*", auth.Seller: "own"},
	"offers.publish": {auth.Operator: "*", auth.Seller: "own"},
	"offers.pause":   {auth.Operator: "*", auth.Seller: "own"},
	"offers.mine":    {auth.Operator: "*", auth.Seller: "own"},
	"offers.archive": {auth.Operator: "*", auth.Seller: "own"},
	"offers.export":  {auth.Operator: "*", auth.Seller: "own"},
	"variants.stock": {auth.Operator: "*", auth.Seller: "own"},

	"digital.show":        {auth.Operator: "*", auth.Seller: "own"},
	"digital.add_ware":    {auth.Operator: "*", auth.Seller: "own"},
	"digital.retire_ware": {auth.Operator: "*", auth.Seller: "own"},
	"digital.add_codes":   {auth.Operator: "*", auth.Seller: "own"},
	"digital.void_codes":  {auth.Operator: "*", auth.Seller: "own"},
	"orders.digital":      {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"orders.open":         {auth.Buyer: "own"},
	"orders.fetch":        {auth.Buyer: "own"},
	"imports.create":      {auth.Operator: "*", auth.Seller: "own"},
	"imports.again":       {auth.Operator: "*", auth.Seller: "own"},
	"imports.list":        {auth.Operator: "*", auth.Seller: "own"},
	"imports.show":        {auth.Operator: "*", auth.Seller: "own"},
	"imports.rows":        {auth.Operator: "*", auth.Seller: "own"},

	"reviews.of_offer":   everyone,
	"offers.export_xlsx": {auth.Operator: "*", auth.Seller: "own"},

	"files.picture":     everyone,
	"files.play":        everyone,
	"files.add":         {auth.Operator: "*", auth.Seller: "own", auth.Buyer: "own", auth.Courier: "own", auth.Institution: "own", auth.Provider: "own", auth.Bank: "own", auth.Insurer: "own"},
	"files.show":        {auth.Operator: "*", auth.Seller: "own", auth.Buyer: "own", auth.Institution: "own", auth.Provider: "own", auth.Bank: "own", auth.Insurer: "own"},
	"files.read":        {auth.Operator: "*", auth.Seller: "own", auth.Buyer: "own", auth.Institution: "own", auth.Provider: "own", auth.Bank: "own", auth.Insurer: "own"},
	"pictures.add":      {auth.Operator: "*", auth.Seller: "own"},
	"pictures.order":    {auth.Operator: "*", auth.Seller: "own"},
	"pictures.describe": {auth.Operator: "*", auth.Seller: "own"},
	"pictures.delete":   {auth.Operator: "*", auth.Seller: "own"},
	"categories.list":   everyone,
	"labels.claim":      {auth.Operator: "*", auth.Seller: "own"},
	"labels.list":       {auth.Operator: "*", auth.Seller: "own"},
	"labels.withdraw":   {auth.Operator: "*", auth.Seller: "own"},
	"changes.list":      {auth.Operator: "*", auth.Seller: "own"},
	"changes.withdraw":  {auth.Operator: "*", auth.Seller: "own"},
	"places.create":     {auth.Operator: "*", auth.Seller: "own"},
	"places.list":       {auth.Operator: "*", auth.Seller: "own"},
	"variants.move":     {auth.Operator: "*", auth.Seller: "own"},
	"closures.create":   {auth.Operator: "*", auth.Seller: "own"},
	"closures.list":     {auth.Operator: "*", auth.Seller: "own"},
	"closures.reopen":   {auth.Operator: "*", auth.Seller: "own"},
	"labels.verify":     {auth.Operator: "*"},
	"labels.refuse":     {auth.Operator: "*"},
	"labels.revoke":     {auth.Operator: "*"},
	"changes.approve":   {auth.Operator: "*"},
	"changes.reject":    {auth.Operator: "*"},

	"search.suggest":       everyone,
	"search.synonyms.show": {auth.Operator: "*"},
	"search.synonyms.put":  {auth.Operator: "*"},
	"search.asked":         {auth.Operator: "*"},

	"baskets.create":   {auth.Buyer: "own"},
	"baskets.put_line": {auth.Buyer: "own"},
	"baskets.show":     {auth.Buyer: "own"},
	"quotes.create":    {auth.Buyer: "own"},
	"checkouts.create": {auth.Buyer: "own"},
	"groups.show":      {auth.Buyer: "own"},
	"orders.show":      {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"orders.list":      {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"orders.accept":    {auth.Seller: "own"},
	"orders.ship":      {auth.Seller: "own"},
	"orders.deliver":   {auth.Seller: "own", auth.Operator: "*"},
	"orders.receive":   {auth.Buyer: "own"},
	"orders.dispute":   {auth.Buyer: "own"},
	"orders.cancel":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},

	"orders.prepare":    {auth.Seller: "own"},
	"orders.ship_part":  {auth.Seller: "own"},
	"shipments.deliver": {auth.Seller: "own", auth.Operator: "*", auth.Courier: "own"},
	"shipments.fail":    {auth.Seller: "own", auth.Operator: "*", auth.Courier: "own"},
	"shipments.link":    {auth.Seller: "own", auth.Operator: "*"},
	"courier.show":      {auth.Courier: "own"},
	"shipments.photo":   {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},

	"invoices.show":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"vat_rates.list": {auth.Seller: "own"},
	"vat_rates.set":  {auth.Seller: "own"},

	"orders.review":    {auth.Buyer: "own"},
	"reviews.list":     {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"reviews.reply":    {auth.Seller: "own"},
	"reviews.moderate": {auth.Operator: "*"},
	"orders.write":     {auth.Buyer: "own", auth.Seller: "own"},
	"orders.messages":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"messages.file":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},

	"returns.create":   {auth.Buyer: "own"},
	"returns.list":     {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"returns.show":     {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"returns.photo":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"returns.approve":  {auth.Seller: "own"},
	"returns.reject":   {auth.Seller: "own", auth.Operator: "*"},
	"returns.send":     {auth.Buyer: "own"},
	"returns.receive":  {auth.Seller: "own"},
	"returns.replace":  {auth.Seller: "own"},
	"returns.refund":   {auth.Seller: "own", auth.Operator: "*"},
	"returns.withdraw": {auth.Buyer: "own"},

	"disputes.list":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"disputes.show":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"disputes.reply": {auth.Seller: "own"},
	"disputes.rule":  {auth.Operator: "*"},

	"charges.show":    {auth.Buyer: "own", auth.Operator: "*"},
	"charges.list":    {auth.Operator: "*"},
	"audit.list":      {auth.Operator: "*"},
	"desk.show":       {auth.Operator: "*"},
	"escrows.show":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"escrows.release": {auth.Buyer: "own", auth.Operator: "*"},
	"balance.show":    {auth.Seller: "own"},
	"payouts.create":  {auth.Seller: "own", auth.Operator: "*"},
	"payouts.list":    {auth.Seller: "own", auth.Operator: "*"},
	"payouts.show":    {auth.Seller: "own", auth.Operator: "*"},
	"payouts.approve": {auth.Operator: "*"},

	"payout_settings.show":   {auth.Seller: "own", auth.Operator: "*"},
	"payout_settings.update": {auth.Seller: "own", auth.Operator: "*"},
	"payout_limits.show":     {auth.Operator: "*"},
	"payout_limits.create":   {auth.Operator: "*"},
	"treasury.list":          {auth.Operator: "*"},
	"treasury.top_up":        {auth.Operator: "*"},
	"treasury.sweep":         {auth.Operator: "*"},
	"halt.show":              {auth.Operator: "*"},
	"halt.set":               {auth.Operator: "*"},

	"approvals.list":       {auth.Operator: "*"},
	"approvals.show":       {auth.Operator: "*"},
	"approvals.decide":     {auth.Operator: "*"},
	"operations.list":      {auth.Operator: "*"},
	"operations.show":      {auth.Operator: "*"},
	"operations.review":    {auth.Operator: "*"},
	"statements.create":    {auth.Operator: "*", auth.Bank: "*"},
	"statements.list":      {auth.Operator: "*"},
	"breaks.list":          {auth.Operator: "*"},
	"breaks.resolve":       {auth.Operator: "*"},
	"breaks.show":          {auth.Operator: "*"},
	"closings.list":        {auth.Operator: "*"},
	"closings.show":        {auth.Operator: "*"},
	"closings.create":      {auth.Operator: "*"},
	"ledger.account":       {auth.Operator: "*"},
	"ledger.transfers":     {auth.Operator: "*"},
	"ledger.post":          {auth.Operator: "*"},
	"ledger.reverse":       {auth.Operator: "*"},
	"ledger.trial_balance": {auth.Operator: "*"},
	"ledger.entries":       {auth.Operator: "*"},
	"ledger.export":        {auth.Operator: "*"},
	"ledger.closings":      {auth.Operator: "*"},
	"ledger.closing":       {auth.Operator: "*"},
	"ledger.close":         {auth.Operator: "*"},

	"refunds.show":         {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"refunds.account":      {auth.Buyer: "own", auth.Operator: "*"},
	"orders.refund":        {auth.Seller: "own", auth.Operator: "*"},
	"chargebacks.list":     {auth.Operator: "*"},
	"callbacks.chargeback": {auth.Guest: "*"},

	"charges.pay_anew":      {auth.Buyer: "own"},
	"charges.give_up":       {auth.Buyer: "own"},
	"callbacks.wallet":      {auth.Guest: "*"},
	"callbacks.wallet_post": {auth.Guest: "*"},

	"orders.confirm":       {auth.Buyer: "own", auth.Operator: "*"},
	"fees.share":           {auth.Seller: "own", auth.Operator: "*"},
	"fees.show":            {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*"},
	"fees.change":          {auth.Operator: "*"},
	"orders.collect":       {auth.Seller: "own", auth.Operator: "*", auth.Courier: "own"},
	"orders.refuse":        {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"orders.take_back":     {auth.Seller: "own", auth.Operator: "*"},
	"cash.list":            {auth.Seller: "own", auth.Operator: "*"},
	"cash.show":            {auth.Seller: "own", auth.Operator: "*"},
	"cash.write_off":       {auth.Operator: "*"},
	"remittances.create":   {auth.Seller: "own", auth.Operator: "*"},
	"remittances.list":     {auth.Seller: "own", auth.Operator: "*"},
	"remittances.show":     {auth.Seller: "own", auth.Operator: "*"},
	"remittances.withdraw": {auth.Seller: "own", auth.Operator: "*"},

	"delivery.make":         {auth.Seller: "own", auth.Operator: "*"},
	"delivery.list":         {auth.Seller: "own", auth.Operator: "*"},
	"delivery.end":          {auth.Seller: "own", auth.Operator: "*"},
	"delivery_tariffs.list": {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*"},
	"delivery_tariffs.add":  {auth.Operator: "*"},
	"payment_rules.list":    {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*"},
	"payment_rules.add":     {auth.Operator: "*"},

	"promotions.make":         {auth.Seller: "own", auth.Operator: "*"},
	"promotions.list":         {auth.Seller: "own", auth.Buyer: "own", auth.Operator: "*"},
	"accords.list":            {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*"},
	"wishes.list":             {auth.Buyer: "*"},
	"wishes.show":             {auth.Buyer: "*"},
	"wishes.say":              {auth.Buyer: "*"},
	"erasures.list":           {auth.Buyer: "*", auth.Operator: "*"},
	"erasures.ask":            {auth.Buyer: "*", auth.Operator: "*"},
	"crm.list":                {auth.Operator: "*"},
	"crm.change":              {auth.Operator: "*"},
	"crm.links":               {auth.Operator: "*"},
	"crm.redo":                {auth.Operator: "*"},
	"notices.list":            {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*"},
	"notices.settings":        {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*"},
	"notices.wish":            {auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*"},
	"callbacks.notices":       {auth.Guest: "*"},
	"callbacks.notices_greet": {auth.Guest: "*"},

	"loyalty.show":      {auth.Buyer: "*", auth.Operator: "*"},
	"loyalty.entries":   {auth.Buyer: "*", auth.Operator: "*"},
	"loyalty.burn":      {auth.Buyer: "*"},
	"loyalty.adjust":    {auth.Operator: "*"},
	"loyalty.liability": {auth.Operator: "*"},
	"loyalty.rules":     {auth.Operator: "*"},
	"loyalty.rule":      {auth.Operator: "*"},
	"loyalty.tier":      {auth.Operator: "*"},
	"loyalty.terms":     {auth.Operator: "*"},

	"promotions.end": {auth.Seller: "own", auth.Operator: "*"},

	"agreements.list": {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"agreements.show": {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},

	"customer_groups.make":    {auth.Seller: "own", auth.Operator: "*"},
	"customer_groups.list":    {auth.Seller: "own", auth.Operator: "*"},
	"customer_groups.members": {auth.Seller: "own", auth.Operator: "*"},
	"customer_groups.change":  {auth.Seller: "own", auth.Operator: "*"},
	"customer_groups.end":     {auth.Seller: "own", auth.Operator: "*"},
	"price_lists.make":        {auth.Seller: "own", auth.Operator: "*"},
	"price_lists.list":        {auth.Seller: "own", auth.Operator: "*"},
	"price_lists.show":        {auth.Seller: "own", auth.Operator: "*"},
	"price_lists.end":         {auth.Seller: "own", auth.Operator: "*"},
	"price_lists.own":         {auth.Buyer: "own"},

	"quotations.ask":        {auth.Buyer: "own"},
	"quotations.close":      {auth.Buyer: "own"},
	"quotations.cancel":     {auth.Buyer: "own"},
	"quotations.refuse":     {auth.Buyer: "own"},
	"quotations.accept":     {auth.Buyer: "own"},
	"quotations.decline":    {auth.Seller: "own"},
	"quotations.offer":      {auth.Seller: "own"},
	"quotations.withdraw":   {auth.Seller: "own"},
	"quotations.write":      {auth.Buyer: "own", auth.Seller: "own"},
	"quotations.list":       {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"quotations.show":       {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"quotations.file":       {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"quotations.messages":   {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"quotations.offers":     {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"quotations.show_offer": {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},

	"group_buys.list":    everyone,
	"group_buys.show":    everyone,
	"group_buys.make":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"group_buys.mine":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"group_buys.cancel":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"group_buys.admit":   {auth.Seller: "own"},
	"group_buys.decline": {auth.Seller: "own"},
	"group_buys.join":    {auth.Buyer: "own"},
	"group_buys.orders":  {auth.Seller: "own", auth.Operator: "*"},
	"group_buys.export":  {auth.Seller: "own", auth.Operator: "*"},

	"pools.list":     everyone,
	"pools.show":     everyone,
	"pools.make":     {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"pools.cancel":   {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"pools.pledges":  {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"pools.deals":    {auth.Buyer: "own", auth.Seller: "own", auth.Operator: "*"},
	"pools.pledge":   {auth.Buyer: "own", auth.Seller: "own"},
	"pools.withdraw": {auth.Buyer: "own", auth.Seller: "own"},
	"pools.basket":   {auth.Buyer: "own"},

	"guests.create": everyone,
	"sellers.show":  everyone,
	"baskets.merge": {auth.Buyer: "own"},

	"sign_in.code":           everyone,
	"sign_in.session":        everyone,
	"demo.inbox":             everyone,
	"people.me":              {}, // of those who signed in; see sessions_test.go
	"sessions.step_up_code":  {},
	"sessions.step_up":       {},
	"sessions.desk":          {},
	"sessions.list":          {},
	"sessions.end":           {},
	"sessions.end_all":       {},
	"passkeys.begin":         {},
	"passkeys.add":           {},
	"passkeys.list":          {},
	"passkeys.end":           {},
	"sessions.passkey_begin": {},
	"sessions.passkey":       {},
	"sign_in.passkey_begin":  everyone,
	"sign_in.passkey":        everyone,
	"people.update":          {},
	"people.pin":             {},
	"agents.code":            {}, // of whoever has the right to represent
	"agents.session":         {},
	"agents.list":            {},
	"agents.end":             {},
	"sessions.lock":          {},
	"sessions.unlock":        everyone,
	"memberships.leave":      {},
	"invitations.accept":     {},
	"invitations.show":       {},
	"memberships.list":       {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"memberships.invite":     {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"memberships.invited":    {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},
	"memberships.remove":     {auth.Operator: "*", auth.Seller: "own", auth.Bank: "own", auth.Insurer: "own", auth.Institution: "own", auth.Provider: "own"},

	"guarantees.show":  everyone,
	"callbacks.card":   {auth.Guest: "*"},
	"partners.list":    {auth.Operator: "*"},
	"partners.changes": {auth.Operator: "*"},
	"partners.lanes":   {auth.Operator: "*"},
	"partners.hold":    {auth.Operator: "*"},
	"partners.go_on":   {auth.Operator: "*"},
	"partners.probe":   {auth.Operator: "*"},
	"partners.tune":    {auth.Operator: "*"},
	"events.list":      {auth.Operator: "*"},
	"demo.clock":       {auth.Operator: "*"},
}

var (
	roles    = []auth.Role{auth.Guest, auth.Buyer, auth.Seller, auth.Operator, auth.Bank, auth.Insurer, auth.Institution, auth.Provider, auth.Courier, auth.System, "made_up"}
	everyone = map[auth.Role]string{auth.Guest: "*", auth.Buyer: "*", auth.Seller: "*", auth.Operator: "*", auth.Bank: "*", auth.Insurer: "*", auth.Institution: "*", auth.Provider: "*", auth.Courier: "*", auth.System: "*"}
)

func compile(t testing.TB) *authz.Policies {
	t.Helper()
	p, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryRoleMayDoWhatTheMatrixSays(t *testing.T) {
	t.Parallel()
	p := compile(t)
	cells := 0
	for action, row := range matrix {
		for _, role := range roles {
			may := row[role]
			for _, c := range []struct {
				thing string
				r     authz.Resource
				want  bool
			}{
				{"not yet known", authz.Resource{}, may != ""},
				{"own as seller", authz.Resource{Seller: me, Buyer: other}, may == "*" || may == "own" && role != auth.Buyer},
				{"own as buyer", authz.Resource{Seller: other, Buyer: me}, may == "*" || may == "own" && role == auth.Buyer},
				{"a stranger's", authz.Resource{Seller: other, Buyer: other}, may == "*"},
				{"a stranger's, half known", authz.Resource{Seller: other}, may == "*"},
				{"a stranger's, other half", authz.Resource{Buyer: other}, may == "*"},
			} {
				cells++
				policy, err := p.May(auth.Principal{Subject: me, Role: role}, action, c.r)
				if got := err == nil; got != c.want {
					t.Errorf("%s may %s on what is %s: %v, want %v (%s, %v)", role, action, c.thing, got, c.want, policy, err)
				}
				if err == nil && policy == "" {
					t.Errorf("%s on %s was allowed by no policy", role, action)
				}
				if err != nil && (!errors.Is(err, authz.ErrDenied) || fault.KindOf(err) != fault.Denied) {
					t.Errorf("%s on %s: got %v, want ErrDenied", role, action, err)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}

func TestMatrixAndPoliciesNameTheSameActions(t *testing.T) {
	t.Parallel()
	got := compile(t).Actions()
	var want []string
	for a := range matrix {
		want = append(want, a)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("policies name %v,\nwant %v", got, want)
	}
}

func TestUnknownActionIsDenied(t *testing.T) {
	t.Parallel()
	if _, err := compile(t).May(auth.Principal{Subject: me, Role: auth.Operator}, "ledger.erase", authz.Resource{}); !errors.Is(err, authz.ErrDenied) {
		t.Errorf("got %v, want ErrDenied", err)
	}
}

func TestNobodyOwnsNothing(t *testing.T) {
	t.Parallel()
	p := compile(t)
	if policy, err := p.May(auth.Principal{Role: auth.Seller}, "orders.accept", authz.Resource{Buyer: other}); err == nil {
		t.Errorf("a seller without a subject accepted an order by %s", policy)
	}
}

func TestForbidWinsAndSaysWhich(t *testing.T) {
	t.Parallel()
	p, err := authz.Load(fstest.MapFS{"a.cedar": {Data: []byte(`
		@id("all") permit (principal, action == Action::"x", resource);
		@id("not_banks") forbid (principal in Role::"bank", action == Action::"x", resource);`)}})
	if err != nil {
		t.Fatal(err)
	}
	if policy, err := p.May(auth.Principal{Role: auth.Bank}, "x", authz.Resource{}); err == nil || policy != "not_banks" {
		t.Errorf("got %q, %v; want not_banks and a refusal", policy, err)
	}
	if policy, err := p.May(auth.Principal{Role: auth.Buyer}, "x", authz.Resource{}); err != nil || policy != "all" {
		t.Errorf("got %q, %v; want all", policy, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no id":       `permit (principal, action == Action::"x", resource);`,
		"the same id": `@id("a") permit (principal, action == Action::"x", resource); @id("a") permit (principal, action == Action::"y", resource);`,
		"no action":   `@id("a") permit (principal, action, resource);`,
		"no cedar":    `@id("a") allow everybody;`,
	} {
		if _, err := authz.Load(fstest.MapFS{"a.cedar": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: was taken", name)
		} else if !strings.Contains(err.Error(), "a.cedar") {
			t.Errorf("%s: %v does not name the file", name, err)
		}
	}
}

func TestContextRemembersThePolicy(t *testing.T) {
	t.Parallel()
	if got := authz.Policy(authz.Allowed(t.Context(), "orders.seller_own")); got != "orders.seller_own" {
		t.Errorf("got %q", got)
	}
	if got := authz.Policy(t.Context()); got != "" {
		t.Errorf("got %q of a bare context", got)
	}
}

func BenchmarkMayOwn(b *testing.B) {
	p := compile(b)
	pr := auth.Principal{Subject: me, Role: auth.Seller}
	for b.Loop() {
		if _, err := p.May(pr, "orders.accept", authz.Resource{Seller: me, Buyer: other}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMayAtTheEdge(b *testing.B) {
	p := compile(b)
	pr := auth.Principal{Subject: me, Role: auth.Seller}
	for b.Loop() {
		if _, err := p.May(pr, "orders.accept", authz.Resource{}); err != nil {
			b.Fatal(err)
		}
	}
}
